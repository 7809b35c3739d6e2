//! Which room may know which. Anything not listed is forbidden.

use crate::house::{self, CRATES};

/// Each crate, and the crates of ours that it may be built from.
const MAY_KNOW: [(&str, &[&str]); 9] = [
    ("cooee", &["console", "dispatch", "escalation", "intake", "ledger", "station"]),
    ("console", &["escalation", "station"]),
    ("station", &["escalation", "ledger"]),
    ("intake", &["escalation"]),
    ("dispatch", &["escalation"]),
    ("escalation", &[]),
    ("ledger", &[]),
    // What proves the house stands outside it: the parts of the acceptance ring know it by its faces alone.
    ("proof", &[]),
    ("xtask", &[]),
];

/// Libraries that a crate must not be built from, and why.
const MAY_NOT_USE: [(&str, &[&str], &str); 2] = [
    (
        "escalation",
        &["fastrand", "getrandom", "log", "rand", "reqwest", "ring", "rumqttc-v4-next", "sqlx", "tokio", "tracing"],
        "the rules are pure: no runtime, no database, no network, no chance, no log",
    ),
    ("ledger", &["axum", "fastrand", "rand", "reqwest", "rumqttc-v4-next"], "the record knows its database and nothing else outside"),
];

/// Crates that may use `anyhow`: rooms name their errors.
const MAY_USE_ANYHOW: [&str; 2] = ["cooee", "xtask"];

/// What is wrong with a crate called `name` that is built from `uses`, where `ours` are all crates of the house.
fn findings(name: &str, uses: &[&str], ours: &[&str]) -> Vec<String> {
    let Some((_name, may_know)) = MAY_KNOW.iter().find(|(crate_, _may)| *crate_ == name) else {
        return vec![format!("{name} is a new crate: it needs a note in docs/decisions/ and a line in this rule")];
    };
    let strangers = uses.iter().filter(|used| ours.contains(used) && !may_know.contains(used));
    let mut found: Vec<String> = strangers.map(|used| format!("{name} must not know {used}")).collect();
    for (_room, banned, why) in MAY_NOT_USE.iter().filter(|(room, _banned, _why)| *room == name) {
        let strangers = uses.iter().filter(|used| banned.contains(used));
        found.extend(strangers.map(|used| format!("{name} must not use {used}: {why}")));
    }
    if uses.contains(&"anyhow") && !MAY_USE_ANYHOW.contains(&name) {
        found.push(format!("{name} must not use anyhow: a room names its errors (thiserror)"));
    }
    found
}

#[test]
fn rooms_know_only_whom_they_may() {
    let packages = CRATES.workspace_packages();
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &packages {
        let uses: Vec<&str> = house::built_from(&package.id).map(|id| CRATES[id].name.as_str()).collect();
        found.extend(findings(&package.name, &uses, &ours));
    }
    assert_eq!(ours.len(), MAY_KNOW.len(), "a crate of this rule is gone: {ours:?}");
    house::must_be_tidy("imports", &found);
}

#[test]
fn a_wrong_import_is_found() {
    let ours = ["console", "dispatch", "escalation", "ledger", "types"];
    assert_eq!(findings("dispatch", &["escalation", "ledger", "serde"], &ours), ["dispatch must not know ledger"]);
    assert_eq!(findings("console", &["dispatch"], &ours), ["console must not know dispatch"]);
    assert!(findings("escalation", &["tokio"], &ours)[0].starts_with("escalation must not use tokio"));
    assert!(findings("ledger", &["anyhow"], &ours)[0].starts_with("ledger must not use anyhow"));
    assert!(findings("types", &[], &ours)[0].starts_with("types is a new crate"));
    assert!(findings("dispatch", &["escalation", "serde"], &ours).is_empty());
}
