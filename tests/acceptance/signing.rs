//! The record signed by the real daemon: audited while it grows, continued after a kill, and a changed byte is found.

use std::path::Path;
use std::process::Output;

use harness::daemon::Plan;
use harness::{Button, Daemon, Gateway, wait};
use rusqlite::Connection;
use serde_json::Value;

use crate::town::{SMITH_FIRST, directory};

const ORIGIN: &str = "alerts.example.org/kalamunda/1";

/// A daemon whose record is signed, and its public key.
pub(crate) async fn signed(gateway: &Gateway) -> (Daemon, String) {
    signed_with(gateway, |plan| plan).await
}

/// The same with further settings.
pub(crate) async fn signed_with(gateway: &Gateway, further: impl FnOnce(Plan) -> Plan) -> (Daemon, String) {
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", gateway);
    signed_of(further(plan)).await
}

/// The same of a plan with a way in and an account.
pub(crate) async fn signed_of(plan: Plan) -> (Daemon, String) {
    let mut daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").prepare();
    let made = daemon.run(&["record", "new", "--origin", ORIGIN]);
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(made.status.success(), "{said}{}", String::from_utf8_lossy(&made.stderr));
    let key = said.lines().map(str::trim).find(|line| line.starts_with(ORIGIN)).unwrap_or_else(|| panic!("no key in {said}"));
    daemon.start_again().await;
    (daemon, key.to_owned())
}

async fn press(daemon: &Daemon, client: &str) {
    let button = Button::connect_by(daemon.listener_options(client), "kalamunda-library", "front-counter-1").await;
    let press = button.press().await;
    button.expect_state(&press, "received").await;
}

/// The size of the latest checkpoint, once it covers at least so many entries.
pub(crate) async fn checkpoint(daemon: &Daemon, at_least: u64) -> u64 {
    wait::until("a checkpoint", async || {
        let answer = daemon.api().get("/api/v1/record/checkpoint").await?;
        let mut lines = answer.text.lines();
        let size = lines.next().filter(|origin| *origin == ORIGIN).and(lines.next())?.parse().ok()?;
        (size >= at_least).then_some(size)
    })
    .await
}

/// What an audit of the running record, or of a copy, says.
pub(crate) fn audit(daemon: &Daemon, key: &str, copy: Option<&Path>) -> (Option<i32>, Value) {
    let mut arguments = vec!["verify", "--json", "--key", key];
    let notes = daemon.data_dir().join("checkpoints");
    if let Some(copy) = copy {
        arguments.extend(["--database", copy.to_str().unwrap(), "--notes", notes.to_str().unwrap()]);
    }
    let Output { status, stdout, stderr } = daemon.run(&arguments);
    let said = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
    (status.code(), said)
}

#[tokio::test]
async fn a_signed_record_is_audited_while_it_grows_and_goes_on_after_a_kill() {
    let gateway = Gateway::start();
    let (mut daemon, key) = signed(&gateway).await;
    press(&daemon, "first").await;
    let size = checkpoint(&daemon, 5).await;
    let (code, said) = audit(&daemon, &key, None);
    assert_eq!((code, &said["sound"], &said["keys"]), (Some(0), &Value::from(true), &Value::from("given")), "{said}");
    assert!(said["signed_to"].as_u64() >= Some(size), "{said}");
    daemon.kill();
    daemon.start_again().await;
    press(&daemon, "second").await;
    checkpoint(&daemon, size + 2).await;
    let (code, said) = audit(&daemon, &key, None);
    let known: Vec<_> = said["findings"].as_array().unwrap().iter().map(|finding| finding["what"].as_str().unwrap()).collect();
    assert_eq!((code, known), (Some(0), vec!["nothing_outside"]), "{said}");
}

#[tokio::test]
async fn a_byte_that_was_changed_in_a_copy_is_found_where_it_is() {
    let gateway = Gateway::start();
    let (mut daemon, key) = signed(&gateway).await;
    press(&daemon, "first").await;
    checkpoint(&daemon, 5).await;
    daemon.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    // Through SQLite, so that what is still in the write-ahead log is in the copy.
    let original = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    original.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    assert_eq!(audit(&daemon, &key, Some(&copy)).0, Some(0), "a whole copy is sound");
    let forged = Connection::open(&copy).unwrap();
    let seq: i64 = forged.query_row("SELECT seq FROM entry WHERE kind = 'activation.raised'", [], |row| row.get(0)).unwrap();
    let mut body: Vec<u8> = forged.query_row("SELECT body FROM entry_body WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
    let last_digit = body.iter().rposition(u8::is_ascii_digit).unwrap();
    body[last_digit] ^= 1;
    let changed = "UPDATE entry_body SET body = ?1 WHERE seq = ?2";
    forged.execute(changed, rusqlite::params![body, seq]).expect_err("a trigger forbids it");
    let triggers: Vec<String> = {
        let mut statement = forged.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    // Who owns the file is not stopped by it.
    for name in triggers {
        forged.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    forged.execute(changed, rusqlite::params![body, seq]).unwrap();
    drop(forged);
    let (code, said) = audit(&daemon, &key, Some(&copy));
    assert_eq!((code, &said["sound"]), (Some(1), &Value::from(false)), "{said}");
    let found = said["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["from"] == seq && finding["wrong"] == true), "{said}");
}
