//! Anchors against real parts: checkpoints leave by themselves, one that is gone holds up nobody, and a rewritten record is found out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::smtp::Mail;
use harness::{Broker, Button, Daemon, Gateway, Smtp, StampFault, Stamper, wait};
use rumqttc::{AsyncClient, Event, Packet, QoS};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::centre::{Centre, SECRET};
use crate::signing::{signed_of, signed_with};
use crate::town::{SMITH, SMITH_FIRST, SMITH_MAIL, directory};

/// Who keeps the mails.
const KEEPER: &str = "records@insurer.example.org";
/// As often as they may come.
const BUSY: &str = "every_s = 1\n";

async fn press(daemon: &Daemon, client: &str) -> String {
    let button = Button::connect_by(daemon.listener_options(client), "kalamunda-library", "front-counter-1").await;
    let press = button.press().await;
    button.expect_state(&press, "received").await["activation"].as_str().unwrap().to_owned()
}

/// A mailbox that gets one a day and after each closing.
fn mailbox() -> String {
    format!("[[anchor]]\nname = \"insurer\"\nkind = \"email\"\nto = \"{KEEPER}\"\nwhen = [\"closing\", \"daily\"]\n{BUSY}")
}

/// How many entries a checkpoint must have to cover the newest entry of a kind.
pub(crate) fn size_with(daemon: &Daemon, kind: &str) -> u64 {
    let record = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    let newest = record.query_row("SELECT max(seq) FROM entry WHERE kind = ?1", [kind], |row| row.get::<_, i64>(0));
    u64::try_from(newest.unwrap()).unwrap() + 1
}

/// Waits for a mail to the keeper whose checkpoint has at least so many entries.
async fn expect_kept(smtp: &Smtp, at_least: u64) -> Mail {
    let fits = |mail: &Mail| mail.to == [KEEPER] && size_of(&attached(mail)) >= at_least;
    wait::until("a checkpoint by mail", async || smtp.mails().into_iter().find(fits)).await
}

/// Raises a call and closes it; gives the size that covers the closing.
async fn call(daemon: &Daemon, client: &str) -> u64 {
    let call = press(daemon, client).await;
    daemon.api().must_post(&format!("/api/v1/activations/{call}/close"), &json!({"disposition": "attended"})).await;
    size_with(daemon, "activation.closed")
}

/// What the record says of anchors: name and size, in order.
fn receipts(daemon: &Daemon) -> Vec<(String, u64, Value)> {
    let record = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    let sql = "SELECT body FROM entry JOIN entry_body USING (seq) WHERE kind = 'checkpoint.anchored' ORDER BY seq";
    let mut statement = record.prepare(sql).unwrap();
    let bodies: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let read = |body: &Vec<u8>| {
        let said: Value = serde_json::from_slice(body).unwrap();
        (said["anchor"].as_str().unwrap().to_owned(), said["size"].as_u64().unwrap(), said["receipt"].clone())
    };
    bodies.iter().map(read).collect()
}

/// Waits until the record says that an anchor took a checkpoint of at least this size.
pub(crate) async fn expect_receipt(daemon: &Daemon, anchor: &str, at_least: u64) -> Value {
    wait::until(&format!("a receipt of {anchor}"), async || {
        receipts(daemon).into_iter().find(|(name, size, _)| name == anchor && *size >= at_least).map(|(_, _, receipt)| receipt)
    })
    .await
}

/// Which anchors are in trouble.
async fn failing(daemon: &Daemon) -> Vec<String> {
    let said = daemon.api().must_get("/api/v1/troubles").await;
    let causes = said["troubles"].as_array().unwrap().iter().map(|trouble| trouble["cause"]["anchor_failing"]["anchor"].clone());
    causes.filter_map(|anchor| anchor.as_str().map(ToOwned::to_owned)).collect()
}

/// The file that a mail brings, as its recipient saves it.
fn attached(mail: &Mail) -> String {
    assert_eq!(mail.attachments, ["checkpoint.txt"]);
    let part = mail.raw.rsplit("checkpoint.txt").next().unwrap();
    let encoded = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")).unwrap().1.split("--").next().unwrap();
    let whole: String = encoded.split_whitespace().collect();
    String::from_utf8(STANDARD.decode(whole).unwrap()).unwrap()
}

fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// What an audit of the record says to somebody who kept these checkpoints, or none.
fn audit(daemon: &Daemon, key: &str, kept: &[&Path]) -> (Option<i32>, Value) {
    let mut arguments = vec!["verify", "--json", "--key", key];
    for file in kept {
        arguments.extend(["--checkpoint", file.to_str().unwrap()]);
    }
    let Output { status, stdout, stderr } = daemon.run(&arguments);
    let said = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
    (status.code(), said)
}

/// What kind of things an audit found.
fn found(said: &Value) -> Vec<&str> {
    said["findings"].as_array().unwrap().iter().map(|finding| finding["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn checkpoints_leave_by_themselves_and_a_rewritten_record_is_found_out() {
    let (gateway, centre, smtp) = (Gateway::start(), Centre::open().await, Smtp::start().await);
    let (mut daemon, key) =
        signed_with(&gateway, |plan| plan.mail(&smtp.plain_url()).also(&mailbox()).anchor_hook("union", centre.url(), SECRET, BUSY)).await;

    // The first mail comes unasked; the next one once a call was closed.
    expect_kept(&smtp, 1).await;
    let closed = call(&daemon, "first").await;
    let mail = expect_kept(&smtp, closed).await;
    let note = attached(&mail);
    let id = expect_receipt(&daemon, "insurer", closed).await;
    assert_eq!(id["smtp"]["message_id"], mail.header("message-id"));
    assert!(!mail.raw.contains("Kalamunda Library") && mail.text.contains(&key), "{}", mail.text);

    let posted = wait::until("a checkpoint of the whole call", async || {
        let covers = |size: &Value| size.as_u64() >= Some(closed);
        centre.calls().into_iter().find(|call| call.body["type"] == "checkpoint.signed" && covers(&call.body["data"]["size"]))
    })
    .await;
    assert!(posted.signed && posted.body["data"]["keys"] == json!([key]), "{posted:?}");
    let receipt = expect_receipt(&daemon, "union", closed).await;
    assert_eq!(receipt["http"]["status"], 204);
    assert!(failing(&daemon).await.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let keep = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let by_mail = keep("by-mail", &note);
    let by_hook = keep("by-hook", posted.body["data"]["checkpoint"].as_str().unwrap());
    let (code, said) = audit(&daemon, &key, &[&by_mail, &by_hook]);
    assert_eq!((code, &said["sound"]), (Some(0), &Value::from(true)), "{said}");
    assert!(said["covered_from_outside_to"].as_u64() >= Some(size_of(&note)), "{said}");

    // Whoever has the database, the signer's memory and the key writes another history, and signs it.
    daemon.stop().await;
    for file in ["cooee.db", "cooee.db-wal", "cooee.db-shm", "checkpoints"] {
        let gone = std::fs::remove_file(daemon.data_dir().join(file));
        assert!(gone.is_ok() || file.starts_with("cooee.db-"), "{file}");
    }
    let again = daemon.run(&["record", "new", "--origin", "alerts.example.org/kalamunda/1"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    daemon.start_again().await;
    let button = Button::connect_by(daemon.listener_options("second"), "kalamunda-library", "front-counter-1").await;
    for _ in 0..size_of(&note) {
        let press = button.press().await;
        button.expect_state(&press, "received").await;
    }
    crate::signing::checkpoint(&daemon, size_of(&note) + 1).await;
    let (code, said) = audit(&daemon, &key, &[]);
    assert_eq!((code, found(&said)), (Some(0), vec!["nothing_outside"]), "by itself it fits together: {said}");
    for kept in [&by_mail, &by_hook] {
        let (code, said) = audit(&daemon, &key, &[kept]);
        assert_eq!((code, &said["sound"]), (Some(1), &Value::from(false)), "{said}");
    }
}

/// One anchor takes the connection and says nothing, one is not there, and one is too slow: the text leaves all the same.
#[tokio::test]
async fn an_anchor_that_hangs_or_is_gone_holds_up_no_alarm_and_is_a_trouble() {
    let (gateway, centre) = (Gateway::start(), Centre::open().await);
    centre.hang();
    let patient = format!("{BUSY}request_ms = 40000\n");
    let (mut daemon, _key) = signed_with(&gateway, |plan| {
        let plan = plan.anchor_hook("hangs", centre.url(), SECRET, &patient);
        let plan = plan.anchor_hook("is-slow", centre.url(), SECRET, &format!("{BUSY}request_ms = 200\n"));
        plan.anchor_hook("is-gone", "http://127.0.0.1:9/", SECRET, BUSY)
    })
    .await;
    let under_way = async || (!centre.calls().is_empty()).then_some(());
    wait::until("a checkpoint under way", under_way).await;
    press(&daemon, "first").await;
    gateway.phone(SMITH).expect_sms("DURESS").await;
    assert!(!failing(&daemon).await.contains(&"hangs".to_owned()), "it hangs still, and nobody waited for it");
    wait::until("the troubles", async || {
        let failing = failing(&daemon).await;
        (failing.contains(&"is-slow".to_owned()) && failing.contains(&"is-gone".to_owned())).then_some(())
    })
    .await;
    assert!(receipts(&daemon).is_empty(), "what nobody took is not said to be anchored");

    // One that is taken out of the settings is nobody's trouble; one that takes again clears its own.
    let settings = daemon.settings();
    let (kept, gone) = settings.split_once("[[anchor]]\nname = \"is-gone\"").unwrap();
    let rest = gone.split_once("[[").map(|(_, rest)| format!("[[{rest}")).unwrap_or_default();
    daemon.stop().await;
    let receiver = Centre::open().await;
    daemon.write_settings(&format!("{kept}{rest}").replace(centre.url(), receiver.url()).replace("request_ms = 200\n", ""));
    daemon.start_again().await;
    wait::until("no anchor to be in trouble", async || failing(&daemon).await.is_empty().then_some(())).await;
    expect_receipt(&daemon, "is-slow", 1).await;
}

/// No file, which gateways would hold back: two lines, by which every mail that was kept is an anchor of its own.
#[tokio::test]
async fn an_alarms_mail_says_how_far_the_record_was_signed() {
    let (gateway, smtp) = (Gateway::start(), Smtp::start().await);
    let by_mail = SMITH_FIRST.replace(r#"["sms", "email"]"#, r#"["email"]"#);
    let (daemon, _key) = signed_with(&gateway, |plan| plan.mail(&smtp.plain_url()).directory(&directory(&by_mail))).await;
    crate::signing::checkpoint(&daemon, 1).await;
    press(&daemon, "first").await;
    let mail = smtp.expect_mail(SMITH_MAIL, "DURESS").await;
    let text = mail.text.replace("\r\n", "\n");
    let (entries, root) = text.split_once("\nRecord: ").unwrap().1.trim_end().split_once(" entries\nRoot: ").unwrap();
    let notes = std::fs::read_to_string(daemon.data_dir().join("checkpoints")).unwrap();
    assert!(notes.contains(&format!("\n{entries}\n{root}\n")), "{}", mail.text);
    assert!(mail.html.contains(root) && mail.attachments.is_empty());
}

/// Whoever subscribes later has the latest at once, to the byte.
#[tokio::test]
async fn the_broker_keeps_the_latest_checkpoint_for_whoever_subscribes() {
    let (gateway, broker) = (Gateway::start(), Broker::start().await);
    let anchor = format!("[[anchor]]\nname = \"broker\"\nkind = \"mqtt\"\n{BUSY}");
    let plan = Daemon::plan(&directory(SMITH_FIRST)).broker(&broker).gateway("first", &gateway).also(&anchor);
    let (daemon, key) = signed_of(plan).await;
    let button = Button::connect(&broker, "kalamunda-library", "front-counter-1").await;
    let press = button.press().await;
    button.expect_state(&press, "received").await;
    let size = size_with(&daemon, "activation.raised");
    assert_eq!(expect_receipt(&daemon, "broker", size).await, "puback");
    let (client, mut line) = AsyncClient::builder(broker.options("keeper")).capacity(8).build();
    client.subscribe("cooee/v1/$station/checkpoint", QoS::AtLeastOnce).await.unwrap();
    let note = wait::until("what is retained", async || match line.poll().await {
        Ok(Event::Incoming(Packet::Publish(message))) => Some(String::from_utf8(message.payload.to_vec()).unwrap()),
        Ok(_) | Err(_) => None,
    })
    .await;
    let size = Some(size_of(&note)).filter(|kept| *kept >= size).expect(&note);
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    std::fs::write(&kept, note).unwrap();
    let (code, said) = audit(&daemon, &key, &[&kept]);
    assert_eq!((code, said["covered_from_outside_to"].as_u64()), (Some(0), Some(size)), "{said}");
}

/// A note and a stamp of it in files, as whoever verifies them has them.
struct Stamped {
    folder: tempfile::TempDir,
}

impl Stamped {
    /// Of what the record says that an anchor gave, and what the signer remembers.
    fn of(daemon: &Daemon, anchor: &str) -> (Self, Value) {
        let (_, size, receipt) = receipts(daemon).into_iter().find(|(name, ..)| name == anchor).expect("a receipt");
        let notes = std::fs::read_to_string(daemon.data_dir().join("checkpoints")).unwrap();
        let size = size.to_string();
        let note = ledger::notes(&notes).0.into_iter().find(|note| note.lines().nth(1) == Some(&size)).expect("the note");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("checkpoint.txt"), note).unwrap();
        std::fs::write(folder.path().join("stamp.tsr"), STANDARD.decode(receipt["rfc3161"]["token"].as_str().unwrap()).unwrap()).unwrap();
        (Self { folder }, receipt["rfc3161"].clone())
    }

    /// What openssl says of them to somebody who trusts this root.
    fn openssl(&self, root: &Path, further: &[&str]) -> (bool, String) {
        let verify = ["ts", "-verify", "-data", "checkpoint.txt", "-in", "stamp.tsr", "-CAfile", root.to_str().unwrap()];
        self.run(&[&verify[..], further].concat())
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let openssl = harness::program::find("openssl", "openssl");
        let output = std::process::Command::new(openssl).args(arguments).current_dir(self.folder.path()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

/// What an authority answers is recorded whole. Who verifies it needs the note and the authority's root, and nothing of ours.
#[tokio::test(flavor = "multi_thread")]
async fn an_authority_stamps_a_checkpoint_and_others_verify_it() {
    let (gateway, stamper) = (Gateway::start(), Stamper::start().await);
    let (daemon, _key) = signed_with(&gateway, |plan| plan.also(&stamper.anchor("stamps", ""))).await;
    expect_receipt(&daemon, "stamps", 1).await;
    let (kept, said) = Stamped::of(&daemon, "stamps");
    let (verified, words) = kept.openssl(&stamper.root(), &[]);
    assert!(verified && words.contains("Verification: OK"), "{words}");
    // The time and the number that are recorded are those that openssl reads.
    let at: jiff::Timestamp = said["at"].as_str().unwrap().parse().unwrap();
    kept.run(&["ts", "-reply", "-in", "stamp.tsr", "-token_out", "-out", "token.der"]);
    let (_, read) = kept.run(&["ts", "-reply", "-in", "token.der", "-token_in", "-text"]);
    assert!(read.contains(&format!("Time stamp: {}", at.strftime("%b %e %H:%M:%S %Y GMT"))), "{at}: {read}");
    assert!(read.contains(&format!("Serial number: 0x{}", said["serial"].as_str().unwrap().to_uppercase())), "{said}: {read}");

    // Once its certificate has ended it is verified as of its own time.
    let years_later = (at.as_second() + 400_000_000).to_string();
    assert!(!kept.openssl(&stamper.root(), &["-attime", &years_later]).0);
    assert!(kept.openssl(&stamper.root(), &["-attime", &at.as_second().to_string()]).0);
    // Another root, or another note.
    let other = Stamper::start().await;
    assert!(!kept.openssl(&other.root(), &[]).0);
    let note = std::fs::read_to_string(kept.folder.path().join("checkpoint.txt")).unwrap();
    std::fs::write(kept.folder.path().join("checkpoint.txt"), note.replacen('\n', " \n", 1)).unwrap();
    let (verified, words) = kept.openssl(&stamper.root(), &[]);
    assert!(!verified && words.contains("message imprint mismatch"), "{words}");

    // Looking at it asks for no stamp, and claims none.
    let asked = stamper.asked();
    let looked = String::from_utf8_lossy(&daemon.run(&["doctor"]).stdout).into_owned();
    assert!(looked.contains("the authority can be reached (HEAD answers 405") && looked.contains("no stamp was asked for"), "{looked}");
    assert_eq!(stamper.asked(), asked);
}

/// A line of the log without what colours it.
fn uncoloured(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    let others = parts.filter_map(|part| part.split_once('m').map(|(_, words)| words));
    [first].into_iter().chain(others).collect()
}

/// Whatever else an authority does, nothing is recorded as a stamp, somebody hears of it, and the log says which of it was wrong.
#[tokio::test]
async fn an_answer_that_is_no_stamp_of_ours_is_a_trouble_and_not_recorded() {
    let faults = [
        ("other-digest", StampFault::OtherDigest, "another digest"),
        ("other-nonce", StampFault::OtherNonce, "another nonce"),
        ("no-certificate", StampFault::NoCertificate, "no certificate in it"),
        ("refuses", StampFault::Refuses, "refused with status 2"),
        ("hangs", StampFault::Hangs, "timeout"),
        ("garbage", StampFault::Garbage, "unreadable reply"),
        ("endless", StampFault::Endless, "too long"),
        ("page", StampFault::Page, "no time stamp"),
        ("redirects", StampFault::Redirects, "refused (307)"),
    ];
    let mut stampers = Vec::new();
    for (name, fault, why) in faults {
        let stamper = Stamper::start().await;
        stamper.fault(Some(fault));
        stampers.push((name, why, stamper));
    }
    // Only the one that hangs is not waited for; the others may take as long as a busy machine makes them.
    let patience = |name: &str| if name == "hangs" { "request_ms = 200\n" } else { "request_ms = 40000\n" };
    let anchors: String = stampers.iter().map(|(name, _, stamper)| stamper.anchor(name, patience(name))).collect();
    let gateway = Gateway::start();
    let (mut daemon, _key) = signed_with(&gateway, |plan| plan.also(&anchors)).await;
    for (name, why, _) in &stampers {
        let says = |line: &String| line.contains("was not taken") && line.contains(&format!("anchor={name} "));
        let log = wait::until(&format!("why {name} gave nothing"), async || daemon.log().lines().map(uncoloured).find(says)).await;
        assert!(log.ends_with(&format!("why={why}")), "{name}: {log}");
    }
    // The first answer of no use is a trouble, because the next is far off; and so is none at all.
    let names: BTreeSet<String> = stampers.iter().map(|(name, ..)| (*name).to_owned()).collect();
    wait::until("the troubles", async || {
        let failing: BTreeSet<String> = failing(&daemon).await.into_iter().collect();
        (failing == names).then_some(())
    })
    .await;
    assert!(receipts(&daemon).is_empty(), "what nobody stamped is not said to be stamped");
    press(&daemon, "first").await;
    gateway.phone(SMITH).expect_sms("DURESS").await;

    // One that stamps again clears its own; a start tries it at once.
    for (_, _, stamper) in &stampers {
        stamper.fault(None);
    }
    daemon.stop().await;
    daemon.write_settings(&daemon.settings().replace("request_ms = 200\n", "request_ms = 40000\n"));
    daemon.start_again().await;
    for (name, _, stamper) in &stampers {
        expect_receipt(&daemon, name, 1).await;
        let (verified, words) = Stamped::of(&daemon, name).0.openssl(&stamper.root(), &[]);
        assert!(verified, "{name}: {words}");
    }
    wait::until("no anchor to be in trouble", async || failing(&daemon).await.is_empty().then_some(())).await;
}

/// A day's mail is sent once, however often the station is started, and what was closed is told once.
#[tokio::test]
async fn a_restart_sends_nothing_twice() {
    let (gateway, centre, smtp) = (Gateway::start(), Centre::open().await, Smtp::start().await);
    let (mut daemon, _key) =
        signed_with(&gateway, |plan| plan.mail(&smtp.plain_url()).also(&mailbox()).anchor_hook("union", centre.url(), SECRET, BUSY)).await;
    expect_kept(&smtp, 1).await;
    let closed = call(&daemon, "first").await;
    expect_kept(&smtp, closed).await;
    expect_receipt(&daemon, "insurer", closed).await;
    for _ in 0..2 {
        daemon.kill();
        daemon.start_again().await;
        // A start is news for whoever is told of every change.
        expect_receipt(&daemon, "union", size_with(&daemon, "station.started")).await;
    }
    // What comes after the next closing comes after whatever the starts have sent.
    let again = call(&daemon, "second").await;
    expect_kept(&smtp, again).await;
    let kept: Vec<Mail> = smtp.mails().into_iter().filter(|mail| mail.to == [KEEPER]).collect();
    let days: BTreeSet<_> = kept.iter().map(|mail| mail.header("date").chars().take(16).collect::<String>()).collect();
    assert!(kept.len() <= 2 + days.len(), "one a day, and one for each of two closings: {}", kept.len());
}
