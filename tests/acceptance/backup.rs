//! Backup and restore with the real daemon: taken while presses arrive, restored elsewhere after a kill, and refused where a
//! copy would be worth less than it looks.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use harness::daemon::program;
use harness::{Button, Daemon, Gateway, Postgres, wait};
use rusqlite::Connection;
use serde_json::Value;

use crate::evidence::Evidence;
use crate::signing::{checkpoint, signed};
use crate::town::{SMITH_FIRST, directory, expect_activation};

/// A daemon that was never started, like the machine that a backup is restored on.
fn elsewhere(gateway: &Gateway) -> Daemon {
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", gateway);
    plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").prepare()
}

async fn button(daemon: &Daemon) -> Button {
    Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await
}

/// Its exit code, and all that it said.
fn run(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = daemon.run(arguments);
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_taken_while_presses_arrive_goes_on_elsewhere_under_a_new_name() {
    let gateway = Gateway::start();
    let (mut daemon, key) = signed(&gateway).await;
    let front = button(&daemon).await;
    let before = front.press().await;
    checkpoint(&daemon, 5).await;
    let shelf = tempfile::tempdir().unwrap();
    let to = shelf.path().join("monday");
    let mut backup = Command::new(program());
    backup.args(["backup", "--to"]).arg(&to).arg("--config").arg(daemon.config());
    let taking = tokio::task::spawn_blocking(move || backup.output().expect("run cooee"));
    let mut during = Vec::new();
    while !taking.is_finished() {
        during.push(front.press().await);
    }
    let Output { status, stdout, stderr } = taking.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && said.contains("this is a backup"), "{said}");
    let after = front.press().await;
    wait::until("the last press", async || Evidence::of(&daemon).has_press(&after).then_some(())).await;
    let entries = u64::try_from(Evidence::of(&daemon).entries().len()).unwrap();
    checkpoint(&daemon, entries).await;
    let outside = shelf.path().join("kept-by-the-insurer");
    std::fs::write(&outside, daemon.api().get("/api/v1/record/checkpoint").await.unwrap().text).unwrap();
    daemon.kill();

    assert_eq!(names(&to), ["backup.json", "checkpoints", "cooee.db", "station.key"], "nothing else, and not the signing key");
    for name in names(&to) {
        assert_eq!(std::fs::metadata(to.join(&name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let mut restored = elsewhere(&gateway);
    let (from, newest) = (to.to_str().unwrap(), outside.to_str().unwrap());
    let (code, said) = run(&restored, &["restore", "--from", from, "--verify", "--key", &key]);
    assert_eq!((code, said.contains("can be restored")), (Some(0), true), "{said}");
    assert!(names(&restored.data_dir()).is_empty(), "it was only looked at");
    let (code, said) = run(&restored, &["restore", "--from", from, "--checkpoint", newest, "--key", &key]);
    assert_eq!((code, said.contains("LOST"), said.contains("restored into")), (Some(1), true, true), "{said}");
    let copy = Evidence::of(&restored);
    copy.must_be_whole();
    assert!(copy.has_press(&before) && !copy.has_press(&after));
    let caught = during.iter().filter(|press| copy.has_press(press)).count();
    assert!(during.iter().take(caught).all(|press| copy.has_press(press)), "it is of one moment: no press is missing before another");
    let original = Evidence::of(&daemon);
    assert_eq!(copy.entries(), &original.entries()[..copy.entries().len()], "it is how the record began");
    // What was recorded after the checkpoint outside, a carrier's report for one, is lost too and known to nobody.
    let vouched: usize = std::fs::read_to_string(&outside).unwrap().lines().nth(1).unwrap().parse().unwrap();
    let lost = vouched - copy.entries().len();
    assert!(said.contains(&format!("at least {lost} entries")), "{lost}: {said}");

    // With the old key put back the old name could be signed a second time, over other entries.
    std::fs::copy(daemon.data_dir().join("record.key"), restored.data_dir().join("record.key")).unwrap();
    restored.start_again().await;
    expect_activation(&restored, "KAL-1", "climbing").await;
    restored.expect_log("nothing is signed under this name any more").await;
    assert_eq!(restored.api().get("/api/v1/record/checkpoint").await.unwrap().status, 404, "unsigned, and alarms go on");
    restored.stop().await;
    let (code, said) = run(&restored, &["record", "recover"]);
    assert_eq!(code, Some(0), "{said}");
    let second = said.lines().map(str::trim).find(|line| line.starts_with("alerts.example.org/kalamunda/2+")).unwrap().to_owned();
    restored.start_again().await;
    let press = button(&restored).await.press().await;
    wait::until("a press after the restore", async || Evidence::of(&restored).has_press(&press).then_some(())).await;
    wait::until("a checkpoint of the new name", async || {
        let note = restored.api().get("/api/v1/record/checkpoint").await?;
        note.text.starts_with("alerts.example.org/kalamunda/2\n").then_some(())
    })
    .await;
    let arguments = ["verify", "--json", "--key", &key, "--key", &second, "--checkpoint", newest];
    let Output { status, stdout, .. } = restored.run(&arguments);
    let said: Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!((status.code(), &said["sound"]), (Some(0), &Value::from(true)), "{said}");
    let found = said["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["what"] == "succeeded"), "what is missing stays said: {said}");
}

#[tokio::test]
async fn nothing_is_written_over_mixed_or_taken_for_more_than_it_is() {
    let gateway = Gateway::start();
    let (mut daemon, _key) = signed(&gateway).await;
    let press = button(&daemon).await.press().await;
    wait::until("the press", async || Evidence::of(&daemon).has_press(&press).then_some(())).await;
    let shelf = tempfile::tempdir().unwrap();
    let to = shelf.path().join("monday");
    let (from, again) = (to.to_str().unwrap(), shelf.path().join("tuesday"));
    assert_eq!(run(&daemon, &["backup", "--to", from]).0, Some(0));
    let refused = |daemon: &Daemon, arguments: &[&str], why: &str| {
        let (code, said) = run(daemon, arguments);
        assert!(code == Some(2) && said.contains(why), "{arguments:?}: {code:?} {said}");
    };
    let restore = ["restore", "--from", from];
    refused(&daemon, &["backup", "--to", from], "never written over");
    refused(&daemon, &["backup", "--to", shelf.path().join("no/such").to_str().unwrap()], "Its parent must be there");
    refused(&daemon, &restore, "another Cooee is using");
    daemon.stop().await;
    refused(&daemon, &restore, "is not empty");

    let other = elsewhere(&gateway);
    std::fs::set_permissions(to.join("cooee.db"), Permissions::from_mode(0o640)).unwrap();
    refused(&other, &restore, "chmod -R go=");
    std::fs::set_permissions(to.join("cooee.db"), Permissions::from_mode(0o600)).unwrap();
    std::fs::write(to.join("cooee.db-wal"), "what a database would read first").unwrap();
    refused(&other, &restore, "cooee.db-wal");
    std::fs::remove_file(to.join("cooee.db-wal")).unwrap();
    let key = std::fs::read(to.join("station.key")).unwrap();
    std::fs::write(to.join("station.key"), [0; 32]).unwrap();
    refused(&other, &restore, "station.key of this backup is not what was copied");
    std::fs::write(to.join("station.key"), key).unwrap();
    assert!(names(&other.data_dir()).iter().all(|name| name == "lock"), "nothing of it was restored");

    // Whoever owns the database can change it; the copy is of what there is, and no backup.
    let forged = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    forged.execute_batch("DROP TRIGGER entry_body_is_never_changed; UPDATE entry_body SET body = x'7b7d' WHERE seq = 3").unwrap();
    drop(forged);
    let (code, said) = run(&daemon, &["backup", "--to", again.to_str().unwrap()]);
    assert!(code == Some(1) && said.contains("entry 3") && said.contains("this is no backup"), "{code:?} {said}");
    assert_eq!(names(shelf.path()), ["monday", "tuesday.unsound"]);
    let unsound = shelf.path().join("tuesday.unsound");
    let unsound = unsound.to_str().unwrap();
    assert_eq!(run(&other, &["restore", "--from", unsound, "--verify"]).0, Some(1));
    refused(&other, &["restore", "--from", unsound], "nothing was restored");
    let (code, said) = run(&other, &restore);
    assert_eq!(code, Some(0), "the sound one can be: {said}");
}

#[tokio::test]
async fn a_record_on_postgresql_is_dumped_and_what_comes_back_is_looked_at() {
    let postgres = Postgres::start().await;
    let (name, copy) = (postgres.create_database(), postgres.create_database());
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", &gateway).record(&postgres.url(&name));
    let daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    let press = button(&daemon).await.press().await;
    let rows = |name: &str| Evidence::of_rows(&postgres.query(name, Evidence::ROWS));
    wait::until("the press", async || rows(&name).has_press(&press).then_some(())).await;
    let shelf = tempfile::tempdir().unwrap();
    let (code, said) = run(&daemon, &["backup", "--to", shelf.path().join("monday").to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("pg_dump"), "{code:?} {said}");
    assert!(names(shelf.path()).is_empty(), "nothing is left that looks like one");
    postgres.copy(&name, &copy);
    let settings = daemon.settings();
    for looked_at in [&name, &copy] {
        daemon.write_settings(&settings.replace(&postgres.url(&name), &postgres.url(looked_at)));
        let Output { status, stdout, stderr } = daemon.run(&["verify", "--json"]);
        let said: Value = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
        assert_eq!((status.code(), &said["sound"]), (Some(0), &Value::from(true)), "{said}");
        assert!(rows(looked_at).has_press(&press));
    }
}
