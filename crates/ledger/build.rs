//! Rebuilds the room when a migration is added: the macro that embeds them sees only the files it has read.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
