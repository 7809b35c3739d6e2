//! The record's two databases change together: each migration is there for both.

use std::path::Path;

use crate::house;

const SQLITE: &str = "crates/ledger/migrations/sqlite";
const POSTGRES: &str = "crates/ledger/migrations/postgres";

fn findings(sqlite: &[&str], postgres: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (here, there, other) in [(sqlite, postgres, POSTGRES), (postgres, sqlite, SQLITE)] {
        let lonely = here.iter().filter(|name| !there.contains(name));
        found.extend(lonely.map(|name| format!("{name} has no twin in {other}")));
        for (number, name) in (1..).zip(here) {
            if !name.starts_with(&format!("{number:04}_")) || name.strip_suffix(".sql").is_none() {
                found.push(format!("{name} should be called {number:04}_what.sql"));
            }
        }
    }
    if sqlite.is_empty() {
        found.push(format!("{SQLITE} holds no migration"));
    }
    found
}

fn names_in(folder: &str) -> Vec<String> {
    let files = house::files();
    let inside = files.iter().filter_map(|path| path.strip_prefix(Path::new(folder)).ok());
    inside.map(|name| name.display().to_string()).collect()
}

#[test]
fn migrations_come_in_pairs() {
    let (sqlite, postgres) = (names_in(SQLITE), names_in(POSTGRES));
    let sqlite: Vec<&str> = sqlite.iter().map(String::as_str).collect();
    let postgres: Vec<&str> = postgres.iter().map(String::as_str).collect();
    house::must_be_tidy("migrations", &findings(&sqlite, &postgres));
}

#[test]
fn a_lonely_or_misnamed_migration_is_found() {
    assert!(findings(&["0001_record.sql"], &["0001_record.sql"]).is_empty());
    assert_eq!(findings(&["0001_a.sql", "0002_b.sql"], &["0001_a.sql"]), [format!("0002_b.sql has no twin in {POSTGRES}")]);
    assert_eq!(findings(&["0001_a.sql"], &["0001_b.sql"]).len(), 2);
    assert_eq!(findings(&["0002_a.sql"], &["0002_a.sql"]).len(), 2, "a number was skipped");
    assert_eq!(findings(&[], &[]).len(), 1);
}
