//! A file is called after the one noun it holds.

use std::path::{Path, PathBuf};

use crate::house;

/// Names that say nothing about what is inside, and so gather everything.
const BANNED: [&str; 12] =
    ["base", "common", "helper", "helpers", "manager", "managers", "misc", "shared", "types", "util", "utils", "mod"];

fn findings(files: &[PathBuf]) -> Vec<String> {
    let code = files.iter().filter(|path| path.extension().is_some_and(|e| e == "rs" || e == "js" || e == "py"));
    let names_nothing = |part: &str| BANNED.contains(&part.to_lowercase().as_str());
    let mut found = Vec::new();
    for path in code {
        let parts = path.components().filter_map(|part| Path::new(part.as_os_str()).file_stem()?.to_str());
        let bad: Vec<&str> = parts.filter(|part| names_nothing(part)).collect();
        found.extend(bad.iter().map(|part| format!("{}: `{part}` is no noun of this house", path.display())));
    }
    found
}

#[test]
fn files_are_called_after_what_they_hold() {
    house::must_be_tidy("names", &findings(&house::files()));
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let files = ["crates/ledger/src/utils.rs", "crates/ledger/src/common/sql.rs", "crates/ledger/src/sql/mod.rs"];
    assert_eq!(findings(&files.map(PathBuf::from)).len(), 3);
    let good = ["crates/ledger/src/entry.rs", "docs/common.md", "crates/ledger/src/commons.rs"];
    assert!(findings(&good.map(PathBuf::from)).is_empty());
}
