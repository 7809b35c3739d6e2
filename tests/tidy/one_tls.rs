//! One TLS stack, and one place that crates come from: read from the lock file, so for every platform.

use serde::Deserialize;

use crate::house;

/// Crates that would bring a second TLS stack, a second crypto library, or a build that needs more than Rust and a C compiler.
/// Not among them: `openssl-probe` and `schannel`, by which rustls finds the system's certificates.
const BANNED: [&str; 7] = ["aws-lc-fips-sys", "aws-lc-rs", "aws-lc-sys", "boring", "native-tls", "openssl", "openssl-sys"];

/// Crates that must be there exactly once: two releases of one of these do not speak to each other.
const ONCE: [&str; 5] = ["libsqlite3-sys", "ring", "rustls", "rustls-webpki", "tokio"];

const SOURCE: &str = concat!("registry+https://github.com/rust-lang/", "crates.io-index");

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// None for a crate of ours.
    source: Option<String>,
}

fn findings(lock: &str) -> Vec<String> {
    let lock: Lock = toml::from_str(lock).expect("a lock file is TOML");
    let mut found = Vec::new();
    for package in &lock.package {
        if BANNED.contains(&package.name.as_str()) {
            found.push(format!("{} {} is banned: one TLS stack, rustls with ring", package.name, package.version));
        }
        if package.source.as_deref().is_some_and(|source| source != SOURCE) {
            found.push(format!("{} {} does not come from the public registry", package.name, package.version));
        }
    }
    for name in ONCE {
        let count = lock.package.iter().filter(|package| package.name == name).count();
        if count != 1 {
            found.push(format!("{name} is there {count} times, not once"));
        }
    }
    found
}

#[test]
fn one_tls_stack() {
    let lock = house::text("Cargo.lock".as_ref()).expect("a lock file is text");
    house::must_be_tidy("one TLS stack", &findings(&lock));
}

#[test]
fn a_second_stack_is_found() {
    let once = |name: &str| format!("[[package]]\nname = {name:?}\nversion = \"1.0.0\"\nsource = {SOURCE:?}\n");
    let good: String = ONCE.into_iter().map(once).collect();
    assert!(findings(&good).is_empty());
    assert_eq!(findings(&(good.clone() + &once("rustls"))), ["rustls is there 2 times, not once"]);
    assert!(findings(&(good.clone() + &once("aws-lc-rs")))[0].starts_with("aws-lc-rs 1.0.0 is banned"));
    let elsewhere = good + "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/x\"\n";
    assert_eq!(findings(&elsewhere), ["x 1.0.0 does not come from the public registry"]);
}
