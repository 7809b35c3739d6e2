//! Erasing: after it no byte of a person is where the station keeps things, and every proof still holds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use harness::daemon::Plan;
use harness::{Button, Daemon, Gateway, Postgres};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bundle::unpacked;
use crate::evidence::Evidence;
use crate::signing::signed_with;
use crate::standing_in::in_hours;
use crate::town::{NAIR_NEXT, SMITH, SMITH_FIRST, code_in, directory, expect_activation};

/// What there was of J. Smith, in lower case.
const SMITHS: [&str; 6] = ["smith", "491570006", "491 570 006", "@example.org", "limps", "wife rang"];
const BASIS: &str = "General Disposal Authority 27.2.1";

/// The directory without J. Smith.
fn without_smith() -> String {
    let whole = directory(NAIR_NEXT);
    let (before, rest) = whole.split_once("[[person]]\nid = \"j-smith\"").unwrap();
    let (_, after) = rest.split_once("[[person]]").unwrap();
    format!("{before}[[person]]{after}")
}

fn run(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = daemon.run(arguments);
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// In which files of the data directory, and of the log, something of J. Smith is.
fn found(daemon: &Daemon) -> Vec<(PathBuf, &'static str)> {
    let mut texts = vec![(PathBuf::from("the log"), daemon.log().to_lowercase())];
    for file in std::fs::read_dir(daemon.data_dir()).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).to_lowercase();
        texts.push((file, text));
    }
    let mut found = Vec::new();
    for (file, text) in texts {
        found.extend(SMITHS.iter().filter(|word| text.contains(**word)).map(|word| (file.clone(), *word)));
    }
    found
}

fn export(daemon: &Daemon, folder: &Path, name: &str) -> PathBuf {
    let to = folder.join(format!("{name}.zip"));
    let (code, said) = run(daemon, &["export", "--activation", "KAL-1", "--for", "police", "--to", to.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    to
}

fn must_verify(daemon: &Daemon, key: &str, bundle: Option<&Path>) {
    let arguments: Vec<&str> = ["verify"].into_iter().chain(bundle.and_then(Path::to_str)).chain(["--key", key]).collect();
    let (code, said) = run(daemon, &arguments);
    assert_eq!(code, Some(0), "{said}");
}

/// A station in which J. Smith was told, answered, and is spoken of in a call that is closed.
async fn told(gateway: &Gateway) -> (Daemon, String) {
    told_in(gateway, |plan| plan, Evidence::of).await
}

/// The same with further settings, whose record is read so.
async fn told_in(gateway: &Gateway, further: impl FnOnce(Plan) -> Plan, evidence: impl Fn(&Daemon) -> Evidence) -> (Daemon, String) {
    let (daemon, key) = signed_with(gateway, |plan| further(plan.directory(&directory(SMITH_FIRST)))).await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    let smith = gateway.phone(SMITH);
    let alarm = smith.expect_sms("DURESS").await;
    smith.reply("my wife rang").await;
    smith.reply(&format!("Y{}", code_in(&alarm.body))).await;
    expect_activation(&daemon, "KAL-1", "accepted").await;
    let act = async |verb: &str, body: Value| daemon.api().must_post(&format!("/api/v1/activations/KAL-1/{verb}"), &body).await;
    act("note", json!({"note": "Smith limps; ring 0491 570 006.", "by": "J. Smith"})).await;
    act("close", json!({"disposition": "attended", "by": "J. Smith"})).await;
    smith.expect_sms("ALL CLEAR").await;
    every_message_is_reported_in(|| evidence(&daemon)).await;
    (daemon, key)
}

async fn every_message_is_reported(daemon: &Daemon) {
    every_message_is_reported_in(|| Evidence::of(daemon)).await;
}

async fn every_message_is_reported_in(evidence: impl Fn() -> Evidence) {
    harness::wait::until("every message to be reported", async || {
        let evidence = evidence();
        let numbers =
            |kind: &str| evidence.kind(kind).map(|entry| format!("{}.{}", entry["act"], entry["dispatch"])).collect::<BTreeSet<String>>();
        (numbers("dispatch.queued") == numbers("dispatch.reported")).then_some(())
    })
    .await;
}

async fn leave(daemon: &Daemon) {
    daemon.write_directory(&without_smith());
    daemon.signal("HUP");
    daemon.expect_log("taken up anew").await;
}

#[tokio::test]
async fn after_erasing_a_person_no_byte_of_them_is_left_and_every_proof_holds() {
    let gateway = Gateway::start();
    let (mut daemon, key) = told(&gateway).await;
    let folder = tempfile::tempdir().unwrap();
    let old = export(&daemon, folder.path(), "before");
    assert!(!found(&daemon).is_empty(), "it was there to be found");
    let erase = |what: &[&str]| run(&daemon, &[&["erase", "--basis", BASIS, "--by", "R. Jones"], what].concat());
    let (code, said) = erase(&["--person", "j-smith"]);
    assert!(code == Some(2) && said.contains("is in the directory"), "{said}");
    leave(&daemon).await;
    // What is under legal hold is not erased, and nobody else either.
    let hold = |further: &[&str]| run(&daemon, &[&["legal-hold", "--activation", "KAL-1", "--reason", "Coroner"], further].concat());
    assert_eq!(hold(&[]).0, Some(0));
    for what in [["--activation", "KAL-1"], ["--person", "j-smith"]] {
        let (code, said) = erase(&what);
        assert!(code == Some(2) && said.contains("KAL-1 is under legal hold"), "{said}");
    }
    assert_eq!(hold(&["--lift"]).0, Some(0));
    assert_eq!(Evidence::of(&daemon).kind("pii.erased").count(), 0, "what is refused is not recorded");
    let rows = disclosures(&daemon);
    for what in [["--activation", "KAL-1"], ["--person", "j-smith"]] {
        let (code, said) = erase(&what);
        assert!(code == Some(0) && said.contains("are deleted"), "{said}");
    }
    assert_eq!(found(&daemon), []);
    let (code, said) = erase(&["--activation", "KAL-1"]);
    assert!(code == Some(2) && said.contains("nothing private"), "{said}");
    let evidence = Evidence::of(&daemon);
    let erased: Vec<&Value> = evidence.kind("pii.erased").collect();
    assert_eq!(erased.iter().map(|entry| &entry["from"]).collect::<Vec<_>>(), [&json!({"activation": "KAL-1"}), &json!({"person": "P-1"})]);
    assert!(erased.iter().all(|entry| entry["basis"] == BASIS && entry["by"]["actor"]["sd"].is_string()), "{erased:?}");
    // Running and started anew it shows their number alone.
    for _start in 0..2 {
        let shown = daemon.api().get("/api/v1/activations/KAL-1").await.unwrap().text;
        assert!(!shown.to_lowercase().contains("smith") && shown.contains("P-1"), "{shown}");
        must_verify(&daemon, &key, None);
        daemon.stop().await;
        daemon.start_again().await;
    }
    assert_eq!(found(&daemon), []);
    // The old bundle still proves what it proved, and a new one says what it lacks.
    must_verify(&daemon, &key, Some(&old));
    let new = export(&daemon, folder.path(), "after");
    must_verify(&daemon, &key, Some(&new));
    let bag = unpacked(&new, folder.path(), "KAL-1");
    assert!(std::fs::read_to_string(bag.join("data/withheld.csv")).unwrap().contains("erased"));
    // A crash between the entry and the deletion, or an older copy that was put back: the next start erases again.
    daemon.stop().await;
    restore(&daemon, &rows);
    assert!(!found(&daemon).is_empty());
    daemon.start_again().await;
    let shown = daemon.api().get("/api/v1/activations/KAL-1").await.unwrap().text;
    assert!(!shown.to_lowercase().contains("smith"), "{shown}");
    assert_eq!(found(&daemon), []);
}

/// In which of these files of a cluster something of J. Smith is.
fn in_cluster(postgres: &Postgres, below: &[&str]) -> Vec<(PathBuf, &'static str)> {
    let files = below.iter().flat_map(|below| postgres.files(below));
    let texts = files.map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).to_lowercase()));
    texts.flat_map(|(path, text)| SMITHS.iter().filter(move |word| text.contains(**word)).map(move |word| (path.clone(), *word))).collect()
}

/// A text that no compression makes shorter, so that PostgreSQL keeps it apart from its row, with J. Smith at both ends.
fn long_note() -> String {
    let mut state = 7_u64;
    let mut letters = String::new();
    while letters.len() < 1_900 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        letters.push(char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap()).to_ascii_uppercase());
    }
    format!("Smith limps {} Smith", letters.replace(['"', '\\'], "x"))
}

#[tokio::test]
async fn after_erasing_a_person_and_a_rewrite_no_byte_of_them_is_in_postgresqls_files() {
    const DATA: [&str; 2] = ["base", "global"];
    let postgres = Postgres::start().await;
    let name = postgres.create_database();
    let gateway = Gateway::start();
    let evidence = || Evidence::of_rows(&postgres.query(&name, Evidence::ROWS));
    let (mut daemon, key) = told_in(&gateway, |plan| plan.record(&postgres.url(&name)), |_| evidence()).await;
    daemon.api().must_post("/api/v1/activations/KAL-1/note", &json!({"note": long_note(), "by": "J. Smith"})).await;
    let folder = tempfile::tempdir().unwrap();
    let old = export(&daemon, folder.path(), "before");
    // What autovacuum does by itself sooner or later; and all of it on the disk.
    for sql in ["ANALYZE", "CHECKPOINT"] {
        postgres.query(&name, sql);
    }
    assert_eq!(
        postgres.query(&name, "select pg_relation_size(reltoastrelid) > 0 from pg_class where oid = 'disclosure'::regclass"),
        "t",
        "something is kept apart from its row"
    );
    assert!(!in_cluster(&postgres, &["base"]).is_empty(), "it was there to be found");
    leave(&daemon).await;
    for what in [["--activation", "KAL-1"], ["--person", "j-smith"]] {
        let (code, said) = run(&daemon, &[&["erase", "--basis", BASIS, "--by", "R. Jones"], what.as_slice()].concat());
        assert!(code == Some(0) && said.contains("are deleted") && said.contains("VACUUM FULL disclosure"), "{said}");
    }
    for sql in ["VACUUM FULL disclosure", "ANALYZE", "CHECKPOINT"] {
        postgres.query(&name, sql);
    }
    assert_eq!(in_cluster(&postgres, &DATA), []);
    assert!(!SMITHS.iter().any(|word| postgres.log().to_lowercase().contains(word)), "nor in the server's log");
    assert_eq!(found(&daemon), [], "nor in the data directory or our log");
    assert!(!in_cluster(&postgres, &["pg_wal"]).is_empty(), "the window that the documentation names: its log keeps it for a while");
    // The record goes on, and every proof holds, then and after a start.
    for _start in 0..2 {
        must_verify(&daemon, &key, None);
        let shown = daemon.api().get("/api/v1/activations/KAL-1").await.unwrap().text;
        assert!(!shown.to_lowercase().contains("smith") && shown.contains("P-1"), "{shown}");
        daemon.stop().await;
        daemon.start_again().await;
    }
    assert_eq!(evidence().kind("pii.erased").count(), 2);
    must_verify(&daemon, &key, Some(&old));
    let new = export(&daemon, folder.path(), "after");
    let bag = unpacked(&new, folder.path(), "KAL-1");
    assert!(std::fs::read_to_string(bag.join("data/withheld.csv")).unwrap().contains("erased"));
    let words = SMITHS.map(|word| format!("-e{word}"));
    let listed = std::process::Command::new("grep").args(["-rilF"]).args(words).arg(&bag).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "", "nor in what is exported");
}

/// Whoever worked at the desk has left their name with all that they said there, and not in calls alone.
#[tokio::test]
async fn the_name_of_whoever_said_something_at_the_desk_is_erased_with_them() {
    const ROSTER: &str = "[[roster]]\nid = \"watch\"\n[[roster.shift]]\npeople = [\"p-nair\"]\n";
    let gateway = Gateway::start();
    let (daemon, _key) = signed_with(&gateway, |plan| plan.directory(&directory(&format!("{NAIR_NEXT}{ROSTER}")))).await;
    let api = daemon.api();
    let buttons = |more: Value| {
        let mut body = json!({"site": "kalamunda-library", "devices": ["front-counter-1"], "by": "J. Smith"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    api.must_post("/api/v1/tests", &buttons(json!({"tester": "p-nair", "minutes": 5}))).await;
    api.must_post("/api/v1/tests/end", &buttons(json!({}))).await;
    let out = json!({"keeper": "p-nair", "instead": "back-office", "why": "sticks", "minutes": 60});
    api.must_post("/api/v1/out-of-service", &buttons(out)).await;
    api.must_post("/api/v1/out-of-service/end", &buttons(json!({}))).await;
    let stand_in = json!({"roster": "watch", "off": "p-nair", "on": "s-lee", "until": in_hours(6), "by": "J. Smith"});
    let duty = api.must_post("/api/v1/duty/stand-ins", &stand_in).await;
    let from = &duty["rosters"][0]["stand_ins"][0]["from"];
    api.must_post("/api/v1/duty/stand-ins/end", &json!({"roster": "watch", "off": "p-nair", "from": from, "by": "J. Smith"})).await;
    let drill = api.must_post("/api/v1/drills", &json!({"site": "kalamunda-library", "by": "J. Smith"})).await;
    let drill = drill["drill"].as_str().unwrap().to_owned();
    let act = async |verb: &str, body: Value| api.must_post(&format!("/api/v1/activations/{drill}/{verb}"), &body).await;
    act("close", json!({"disposition": "test", "by": "J. Smith"})).await;
    act("legal-hold", json!({"on": true, "reason": "Coroner", "by": "J. Smith"})).await;
    act("legal-hold", json!({"on": false, "reason": "Coroner", "by": "J. Smith"})).await;
    every_message_is_reported(&daemon).await;
    leave(&daemon).await;
    assert!(!found(&daemon).is_empty(), "it was there to be found");
    let (code, said) = run(&daemon, &["erase", "--basis", BASIS, "--by", "R. Jones", "--person", "j-smith"]);
    assert!(code == Some(0), "{said}");
    assert_eq!(found(&daemon), []);
}

/// A machine that a backup is restored on, with today's directory.
fn elsewhere(gateway: &Gateway) -> Daemon {
    let plan = Daemon::plan(&without_smith()).listener().gateway("first", gateway);
    plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").prepare()
}

#[tokio::test]
async fn a_restore_of_an_older_backup_does_not_undo_an_erasure() {
    let gateway = Gateway::start();
    let (mut daemon, key) = told(&gateway).await;
    let folder = tempfile::tempdir().unwrap();
    let old = export(&daemon, folder.path(), "before");
    let backup = folder.path().join("monday");
    let from = backup.to_str().unwrap();
    let (code, said) = run(&daemon, &["backup", "--to", from]);
    assert_eq!(code, Some(0), "{said}");
    leave(&daemon).await;
    for what in [["--activation", "KAL-1"], ["--person", "j-smith"]] {
        let (code, said) = run(&daemon, &[&["erase", "--basis", BASIS, "--by", "R. Jones"], what.as_slice()].concat());
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(found(&daemon), [], "also the list names nobody");
    daemon.stop().await;
    let list = folder.path().join("erasures-of-tuesday");
    std::fs::copy(daemon.data_dir().join("erasures"), &list).unwrap();
    let later = list.to_str().unwrap();

    // Without a list nothing is known, and that is said.
    let (code, said) = run(&daemon, &["restore", "--from", from, "--verify"]);
    assert!(code == Some(0) && said.contains("NOT KNOWN what was erased"), "{code:?} {said}");
    // One that was altered erases nothing and keeps the restore from happening until somebody has looked.
    let altered = folder.path().join("altered");
    std::fs::write(&altered, std::fs::read_to_string(&list).unwrap().replace("27.2.1", "27.2.2")).unwrap();
    let mut restored = elsewhere(&gateway);
    let (code, said) = run(&restored, &["restore", "--from", from, "--erasures", altered.to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("not written by this backup's station, or altered"), "{code:?} {said}");
    assert_eq!(std::fs::read_dir(restored.data_dir()).map_or(0, Iterator::count), 0, "nothing was restored");

    let (code, said) = run(&restored, &["restore", "--from", from, "--erasures", later]);
    assert!(code == Some(0) && said.matches("ERASED since").count() == 2 && !said.contains("NOT KNOWN"), "{code:?} {said}");
    assert!(!found(&restored).is_empty(), "the copy is older");
    let (code, said) = run(&restored, &["record", "recover"]);
    assert_eq!(code, Some(0), "{said}");
    let second = said.split_whitespace().find(|word| word.starts_with("alerts.example.org/kalamunda/2+")).unwrap().to_owned();
    for _start in 0..2 {
        restored.start_again().await;
        let evidence = Evidence::of(&restored);
        let erased: Vec<&Value> = evidence.kind("pii.erased").collect();
        assert_eq!(erased.len(), 2, "each once: {erased:?}");
        assert!(erased.iter().all(|entry| entry["basis"] == BASIS && entry["again"]["found"].as_u64() > Some(0)), "{erased:?}");
        let shown = restored.api().get("/api/v1/activations/KAL-1").await.unwrap().text;
        assert!(!shown.to_lowercase().contains("smith") && shown.contains("P-1"), "{shown}");
        assert_eq!(found(&restored), []);
        restored.stop().await;
    }
    assert_eq!(found(&restored), []);
    let (code, said) = run(&restored, &["verify", "--key", &key, "--key", &second]);
    assert_eq!(code, Some(0), "{said}");
    must_verify(&restored, &key, Some(&old));
    // The list is part of what is backed up from now on.
    let again = folder.path().join("wednesday");
    let (code, said) = run(&restored, &["backup", "--to", again.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    let kept = std::fs::read_to_string(again.join("erasures")).unwrap();
    assert_eq!(kept, std::fs::read_to_string(restored.data_dir().join("erasures")).unwrap());
    assert!(std::fs::read_to_string(&list).unwrap().lines().all(|line| kept.contains(line)), "{kept}");
    // A line in it that nobody believes keeps no station from coming back, and is said.
    std::fs::write(restored.data_dir().join("erasures"), format!("{kept}nothing of ours\n")).unwrap();
    let spoiled = folder.path().join("thursday");
    let (code, said) = run(&restored, &["backup", "--to", spoiled.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    let third = elsewhere(&gateway);
    let (code, said) = run(&third, &["restore", "--from", spoiled.to_str().unwrap()]);
    assert!(
        code == Some(1) && said.contains("WARNING") && said.contains("line 3 was") && said.contains("restored into"),
        "{code:?} {said}"
    );
    assert_eq!(std::fs::read_to_string(third.data_dir().join("erasures")).unwrap(), kept);
}

/// What will be due is listed without a command, and what was erased is not listed any more.
#[tokio::test]
async fn what_is_due_is_listed_and_gone_once_it_is_erased() {
    let gateway = Gateway::start();
    let (daemon, _key) = told(&gateway).await;
    let (code, said) = run(&daemon, &["retention"]);
    assert!(code == Some(0) && said.contains("has no [[retention]]"), "{said}");
    let terms = format!("[[retention]]\nclass = \"genuine\"\nkeep = \"1y\"\nbasis = \"{BASIS}\"\n");
    daemon.write_directory(&format!("{}{terms}", directory(SMITH_FIRST)));
    let (code, said) = run(&daemon, &["retention"]);
    assert!(code == Some(0) && said.contains("kalamunda, genuine: 1 calls, 0 due (kept 1y by General"), "{said}");
    let closed = daemon.api().must_get("/api/v1/activations/KAL-1").await["closed_at"].as_str().unwrap().to_owned();
    let later = std::time::Duration::from_hours(24 * 367);
    let at = (closed.parse::<escalation::time::Timestamp>().unwrap() + later).to_string();
    let (code, said) = run(&daemon, &["retention", "--at", &at]);
    assert!(
        code == Some(1) && said.contains("NOT YET due, from") && !said.contains("cooee erase"),
        "what is due by then is not erased now: {said}"
    );
    assert!(!SMITHS.iter().any(|word| said.to_lowercase().contains(word)), "{said}");
    let (_, json) = run(&daemon, &["retention", "--at", &at, "--json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&listed["calls"][0]["standing"], &listed["calls"][0]["class"]), (&json!("due"), &json!("genuine")));
    let (code, said) = run(&daemon, &["erase", "--activation", "KAL-1", &format!("--basis={BASIS}")]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&daemon, &["retention", "--at", &at]);
    assert!(code == Some(0) && !said.contains("KAL-1"), "{said}");
}

/// Makes everything in the record of a stopped, unsigned station four years older, so that the 29th of February stays one.
fn age(daemon: &Daemon) {
    let connection = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    connection.execute_batch("DROP TRIGGER IF EXISTS entry_is_never_changed; DROP TRIGGER IF EXISTS entry_body_is_never_changed").unwrap();
    let mut statement = connection.prepare("SELECT seq, body FROM entry_body").unwrap();
    let rows: Vec<(i64, Vec<u8>)> = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (seq, body) in rows {
        let mut entry: Value = serde_json::from_slice(&body).unwrap();
        let t = entry["t"].as_str().unwrap().to_owned();
        let (year, rest) = t.split_once('-').unwrap();
        entry["t"] = format!("{}-{rest}", year.parse::<u16>().unwrap() - 4).into();
        let older = ledger::EntryBody::write(&entry).unwrap();
        let leaf = ledger::Digest::of(&[&[0], older.bytes()]);
        let at = entry["t"].as_str().unwrap().parse::<escalation::time::Timestamp>().unwrap().as_microsecond();
        connection.execute("UPDATE entry_body SET body = ?1 WHERE seq = ?2", (older.bytes(), seq)).unwrap();
        connection.execute("UPDATE entry SET leaf_hash = ?1, at_us = ?2 WHERE seq = ?3", (leaf.as_bytes().as_slice(), at, seq)).unwrap();
    }
}

/// A list is erased as it was read or not at all; what came under hold meanwhile is not erased.
#[tokio::test]
async fn a_list_of_what_is_due_is_erased_once_it_was_read() {
    let gateway = Gateway::start();
    let terms = format!("[[retention]]\nclass = \"genuine\"\nkeep = \"1y\"\nbasis = \"{BASIS}\"\n");
    let plan = Daemon::plan(&format!("{}{terms}", directory(SMITH_FIRST))).listener().gateway("first", &gateway);
    let mut daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    let raise = async |device: &str| {
        let api = daemon.api();
        let raised = api.must_post("/api/v1/activations", &json!({"site": "kalamunda-library", "device": device, "by": "S. Lee"})).await;
        let id = raised["activation"].as_str().unwrap().to_owned();
        api.must_post(&format!("/api/v1/activations/{id}/close"), &json!({"disposition": "attended", "by": "S. Lee"})).await;
        id
    };
    let calls = [raise("front-counter-1").await, raise("back-office").await];
    every_message_is_reported(&daemon).await;
    daemon.stop().await;
    age(&daemon);
    daemon.start_again().await;
    let listed = || {
        let (code, said) = run(&daemon, &["retention"]);
        assert_eq!(code, Some(1), "{said}");
        said.split_once("--erase ").unwrap().1.split_whitespace().next().unwrap().to_owned()
    };
    let erase = |list: &str| run(&daemon, &["retention", "--erase", list, "--by", "R. Jones"]);
    let hold = |id: &str, further: &[&str]| run(&daemon, &[&["legal-hold", "--activation", id, "--reason", "Coroner"], further].concat()).0;
    let erased = || Evidence::of(&daemon).kind("pii.erased").map(|entry| entry["from"]["activation"].clone()).collect::<Vec<_>>();
    let both = listed();
    assert_eq!(hold(&calls[0], &[]), Some(0));
    let (code, said) = erase(&both);
    assert!(code == Some(2) && said.contains("no longer the list") && said.contains("nothing was erased"), "{said}");
    assert_eq!(erased(), Vec::<Value>::new());
    assert_eq!(hold(&calls[0], &["--lift"]), Some(0));
    assert_eq!(listed(), both, "the same list has the same fingerprint");
    // What concerns the station as a whole stops it, and it says what is left.
    let open = daemon.api().must_post("/api/v1/activations", &json!({"site": "kalamunda-library", "device": "front-counter-1"})).await;
    let (code, said) = erase(&both);
    assert!(code == Some(2) && said.contains("0 of 2 calls are erased; 2 are left to do"), "{said}");
    assert_eq!(erased(), Vec::<Value>::new());
    let close = format!("/api/v1/activations/{}/close", open["activation"].as_str().unwrap());
    daemon.api().must_post(&close, &json!({"disposition": "attended", "by": "S. Lee"})).await;
    every_message_is_reported(&daemon).await;
    let (code, said) = erase(&both);
    assert!(code == Some(0) && said.contains("2 of 2 calls are erased; 0 are not"), "{said}");
    assert_eq!(erased(), calls.map(Value::from));
    let (code, said) = run(&daemon, &["retention"]);
    assert!(code == Some(0) && !said.contains("--erase"), "{said}");
    let (code, said) = erase(&both);
    assert!(code == Some(2) && said.contains("no longer the list"), "{said}");
}

#[tokio::test]
async fn nothing_is_erased_of_what_is_open_or_by_who_may_not() {
    let gateway = Gateway::start();
    let auditor = harness::daemon::new_key_with(&["--role", "auditor"]);
    let bounded = harness::daemon::new_key_with(&["--role", "admin", "--customer", "kalamunda"]);
    let (daemon, _key) = signed_with(&gateway, |plan| plan.directory(&directory(SMITH_FIRST)).key(&auditor).key(&bounded)).await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    gateway.phone(SMITH).expect_sms("DURESS").await;
    leave(&daemon).await;
    let ask = async |key: Option<&harness::daemon::Key>, path: &str, body: Value| {
        let api = key.map_or_else(|| daemon.api(), |key| daemon.api_with_key(Some(&key.secret)));
        let answer = api.post(path, &body).await.unwrap();
        (answer.status, answer.body["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned())
    };
    let (call, people) = ("/api/v1/activations/KAL-1/erase", "/api/v1/erasures");
    let of_smith = json!({"person": "j-smith", "basis": BASIS});
    assert_eq!(ask(None, call, json!({"basis": BASIS})).await, (409, "still-at-work".to_owned()));
    assert_eq!(ask(None, people, of_smith.clone()).await, (409, "still-at-work".to_owned()));
    assert_eq!(ask(Some(&auditor), call, json!({"basis": BASIS})).await.0, 403);
    assert_eq!(ask(Some(&auditor), people, of_smith.clone()).await.0, 403);
    assert_eq!(ask(Some(&bounded), people, of_smith).await.0, 404, "a person belongs to no customer");
    assert_eq!(ask(None, people, json!({"person": "nobody", "basis": BASIS})).await.0, 404);
    assert_eq!(ask(None, call, json!({"basis": " "})).await.0, 400);
    assert_eq!(ask(None, call, json!({"basis": "as S. Lee asked"})).await.0, 400, "the basis stands in the record for ever");
    assert_eq!(Evidence::of(&daemon).kind("pii.erased").count(), 0);
}

/// A disclosure as it lies in the database.
type Row = (Vec<u8>, i64, String, Vec<u8>);

fn disclosures(daemon: &Daemon) -> Vec<Row> {
    let connection = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    connection.busy_timeout(harness::wait::PATIENCE).unwrap();
    let mut statement = connection.prepare("SELECT digest, seq, subject, bytes FROM disclosure").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Puts back what was deleted.
fn restore(daemon: &Daemon, rows: &[Row]) {
    let connection = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    for (digest, seq, subject, bytes) in rows {
        connection.execute("INSERT OR IGNORE INTO disclosure VALUES (?1, ?2, ?3, ?4)", (digest, seq, subject, bytes)).unwrap();
    }
}
