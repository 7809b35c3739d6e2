//! The map of the code lists every file with what the file says of itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

use crate::house;

const MAP: &str = include_str!("../../docs/src/code-map.md");
/// What stands before the part of the page that is printed.
const BEFORE_MAP: &str = "The rest of this page is printed by a test: `UPDATE_EXPECT=1 cargo xtask tidy`.\n";
/// The folders on the map, in reading order.
const FOLDERS: [&str; 9] = [
    "crates/escalation/src",
    "crates/ledger/src",
    "crates/station/src",
    "crates/intake/src",
    "crates/dispatch/src",
    "crates/console/src",
    "crates/cooee/src",
    "xtask/src",
    "tests",
];

/// The first paragraph of a file's own words, on one line.
fn says(source: &str) -> String {
    let words = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    words.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn chapter(folder: &str, files: &[PathBuf], read: impl Fn(&Path) -> String) -> String {
    let mut page = format!("\n## `{folder}`\n\n| File | What it holds |\n|---|---|\n");
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
        let Ok(name) = path.strip_prefix(folder) else { continue };
        if name.file_stem().is_some_and(|stem| stem != "tests") {
            let _written = writeln!(page, "| `{}` | {} |", name.display(), says(&read(path)).replace('|', "\\|"));
        }
    }
    page
}

#[test]
fn the_map_has_every_file() {
    let files = house::files();
    let read = |path: &Path| house::text(path).unwrap_or_default();
    let chapters: String = FOLDERS.iter().map(|folder| chapter(folder, &files, read)).collect();
    let head = MAP.split_once(BEFORE_MAP).expect("the page says where the map begins").0;
    expect_file!["../../docs/src/code-map.md"].assert_eq(&format!("{head}{BEFORE_MAP}{chapters}"));
}

#[test]
fn a_file_says_what_it_holds_in_its_first_paragraph() {
    let files = ["crates/a/src/one.rs", "crates/a/src/tests.rs", "crates/b/src/two.rs", "crates/a/src/a.md"].map(PathBuf::from);
    let page = chapter("crates/a/src", &files, |_path| "//! Holds one | thing\n//! and no other.\n//!\n//! More.\nuse x;\n".to_owned());
    assert!(page.ends_with("|---|---|\n| `one.rs` | Holds one \\| thing and no other. |\n"), "{page}");
}
