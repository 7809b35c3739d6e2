use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::batch::Sealed;
use crate::key::Origin;
use crate::memory::MemoryLedger;
use crate::signer::{Signer, SigningKeys};
use crate::signing_key::SigningKey;
use crate::stamp::tests::{reply_of, saying};
use crate::subtrees::{Blocks, Subtrees};
use crate::{Batch, ConsistencyProof, Ledger as _, Seq};

const NAME: &str = "KAL-1";
const ORIGIN: &str = "alerts.example.org/kalamunda/1";
/// The last entry, which is of no activation.
const RECEIPT: u64 = 6;

/// The entries of the activation that ends, and the receipt's.
const IN_IT: u64 = 5;

/// What an entry says of what became of a note.
struct Said {
    word: &'static str,
    receipt: Value,
    stamp: Option<Vec<u8>>,
}

/// That an authority answered this.
fn answered(stamp: Vec<u8>) -> Said {
    claimed(stamp, "2026-11-30T06:48:38Z", "02")
}

/// The same with what it is said to say.
fn claimed(stamp: Vec<u8>, at: &str, serial: &str) -> Said {
    let receipt = json!({ "rfc3161": { "at": at, "serial": serial, "token": STANDARD.encode(&stamp) } });
    Said { word: "rfc3161", receipt, stamp: Some(stamp) }
}

/// A record with one activation of four entries between others, signed; and the bundle of it, with a stamp of a checkpoint.
async fn bundle() -> (Bundle, VerifyKey) {
    bundle_of(|note| answered(reply_of(note))).await
}

/// The same with a checkpoint that a broker took.
async fn bundle_kept() -> (Bundle, VerifyKey) {
    bundle_of(|_| Said { word: "puback", receipt: json!("puback"), stamp: None }).await
}

/// The same with what is said of the note.
async fn bundle_of(said: impl Fn(&[u8]) -> Said) -> (Bundle, VerifyKey) {
    let (mut signer, key) = signer();
    let ledger = MemoryLedger::new();
    let mut batch = Batch::new(Seq::FIRST);
    let mut earlier = Subtrees::new();
    let mut given = None;
    for (n, kind, act, aseq) in [
        (0, "station.started", None, None),
        (1, "activation.raised", Some(NAME), Some(0)),
        (2, "note.added", Some(NAME), Some(1)),
        (3, "note.added", Some("KAL-2"), Some(1)),
        (4, "note.added", Some(NAME), Some(2)),
        (5, "activation.closed", Some(NAME), Some(3)),
        (6, "checkpoint.anchored", None, None),
    ] {
        let note = Disclosure::seal("", [n; 16], "note", &format!("words {n}")).expect("sealed");
        let mut entry = json!({
            "v": 1, "type": kind, "t": format!("2026-04-13T06:04:0{n}.000000Z"), "nonce": format!("{n:032x}"), "text": {"sd": note.digest().to_string()},
        });
        for (name, value) in [("act", json!(act)), ("aseq", json!(aseq)), ("count", json!((kind == "activation.closed").then_some(4)))] {
            if !value.is_null() {
                entry[name] = value;
            }
        }
        if n == 6 {
            for (name, value) in [("anchor", "insurer"), ("origin", ORIGIN), ("root", &earlier.head().root.digest().to_string())] {
                entry[name] = json!(value);
            }
            entry["size"] = json!(6);
            let note = signer.sign(earlier.head(), &ConsistencyProof::default()).expect("signed");
            let said = said(note.to_string().as_bytes());
            entry["receipt"] = said.receipt.clone();
            given = Some((note, said));
        }
        let body = EntryBody::write(&entry).expect("an entry");
        if n < 6 {
            earlier.extend([body.leaf()]);
        }
        batch.push(body, vec![note]);
    }
    ledger.append(&batch).await.expect("appended");
    let mut tree = Subtrees::new();
    tree.extend(batch.entries().iter().map(|Sealed { body, .. }| body.leaf()));
    let (note, said) = given.expect("the last entry says so");
    let onwards = tree.consistency(6, 7, &Blocks::default()).expect("a way");
    let checkpoint = signer.sign(tree.head(), &onwards).expect("signed");
    let given = Given {
        to: "insurer".to_owned(),
        entry: RECEIPT,
        recorded_at: "2026-04-13T06:04:06.000000Z".to_owned(),
        origin: note.origin().to_string(),
        size: note.size(),
        root: *note.root().digest(),
        receipt: said.word,
        onwards,
        note: Some(note),
        stamp: said.stamp,
    };
    let is_in_it = |(seq, sealed): &(Seq, &Sealed)| sealed.body.columns().stream == NAME || seq.index() == RECEIPT;
    let proven = batch.placed().filter(is_in_it).map(|(seq, sealed)| {
        let path = tree.inclusion(seq.index(), checkpoint.size(), &Blocks::default()).expect("a path");
        (sealed.body.clone(), TlogProof { index: seq.index(), path, checkpoint: checkpoint.clone() })
    });
    let disclosures = batch.placed().filter(is_in_it).flat_map(|(_, sealed)| sealed.disclosures.clone());
    let bundle = Bundle {
        name: NAME.to_owned(),
        info: vec![("External-Identifier", NAME.to_owned())],
        keys: vec![key.clone()],
        proven: proven.collect(),
        disclosures: disclosures.collect(),
        withheld: Vec::new(),
        anchors: vec![given],
        papers: vec![("report.html", b"<p>words</p>".to_vec())],
        checkpoint,
    };
    (bundle, key)
}

/// A signer with a new memory, and its key.
fn signer() -> (Signer, VerifyKey) {
    let folder = tempfile::tempdir().expect("a folder");
    let origin: Origin = ORIGIN.parse().expect("a name");
    let current = SigningKey::create(&folder.path().join("key"), origin, &[7; 32]).expect("a key");
    let key = current.public().clone();
    let notes = folder.path().join("notes");
    Signer::create(&notes).expect("made");
    (Signer::open(&notes, SigningKeys { current, before: None }).expect("a signer"), key)
}

fn names(report: &BundleReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.fault.name()).collect()
}

#[tokio::test]
async fn a_bundle_is_sound_and_every_bit_of_it_counts() {
    let (bundle, key) = bundle().await;
    let packed = bundle.pack().expect("packed");
    for keys in [vec![], vec![key.clone()]] {
        let report = verify_bundle(&packed.zip, &keys);
        assert_eq!((names(&report), report.proven, report.values, report.withheld, report.closed), (vec![], IN_IT, IN_IT, 0, true));
        assert_eq!((report.name.as_str(), report.checkpoint.map(|c| c.size())), (NAME, Some(7)));
    }
    let contents = contents(&packed.zip);
    for at in 0..packed.zip.len() {
        let mut other = packed.zip.clone();
        other[at] ^= 1 << (at % 8);
        let report = verify_bundle(&other, std::slice::from_ref(&key));
        assert!(!report.is_sound(), "byte {at}");
        // What lies in a file is named with the file; a manifest that was altered may accuse the files that it speaks of.
        if let Some((path, _)) = contents.iter().find(|(path, content)| content.contains(&at) && !path.ends_with("manifest-sha256.txt")) {
            assert!(report.findings.iter().any(|finding| finding.file == *path), "byte {at} of {path}: {report:?}");
        }
    }
}

/// Where each file's content lies in the zip.
fn contents(packed: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let files = zip::unpack(packed).expect("a zip").0;
    let place = |(path, content): (String, Vec<u8>)| {
        let header = [path.as_bytes(), &content].concat();
        let start = packed.windows(header.len()).position(|part| part == header).expect("stored as it is") + path.len();
        (path.strip_prefix("KAL-1/").expect("inside").to_owned(), start..start + content.len())
    };
    files.into_iter().map(place).collect()
}

#[tokio::test]
async fn what_is_left_out_must_be_named() {
    let (whole, key) = bundle().await;
    let keys = [key];
    let check = |bundle: &Bundle| verify_bundle(&bundle.pack().expect("packed").zip, &keys);
    // A value.
    let mut one = whole.clone();
    let value = one.disclosures.remove(1);
    assert_eq!(names(&check(&one)), ["unexplained"]);
    let (body, proof) = one.proven[1].clone();
    let entry = Withheld { index: proof.index, leaf: body.leaf(), aseq: None, value: None, reason: "personal data" };
    one.withheld.push(Withheld { value: Some((value.digest(), value.label())), ..entry.clone() });
    assert_eq!(names(&check(&one)), [""; 0]);
    // An entry, and what belonged to it.
    one.proven.remove(1);
    assert_eq!(names(&check(&one)), ["gap"]);
    one.withheld.push(Withheld { aseq: Some(1), ..entry.clone() });
    assert_eq!((names(&check(&one)), check(&one).withheld), (vec![], 2));
    one.withheld.push(Withheld { aseq: Some(1), ..entry });
    assert_eq!(names(&check(&one)), ["twice"]);
}

#[tokio::test]
async fn what_does_not_belong_is_refused() {
    let (whole, key) = bundle().await;
    let keys = [key];
    let check = |bundle: &Bundle| names(&verify_bundle(&bundle.pack().expect("packed").zip, &keys));
    let stranger = Disclosure::seal("", [99; 16], "note", "never said").expect("sealed");
    let mut added = whole.clone();
    added.disclosures.push(stranger);
    assert_eq!(check(&added), ["value_of_nothing"]);
    // An entry under the proof of another place, and an entry that was never written.
    let mut swapped = whole.clone();
    let first = swapped.proven[1].0.clone();
    swapped.proven[1].0 = swapped.proven[2].0.clone();
    swapped.proven[2].0 = first;
    assert_eq!(check(&swapped), ["not_proven"; 2]);
    // As another activation's.
    let other = Bundle { name: "KAL-2".to_owned(), ..whole.clone() };
    assert_eq!(check(&other), ["other_name", "other_history", "other_history", "other_history", "other_history"]);
    // Under another key.
    let other: VerifyKey = VerifyKey::new(whole.checkpoint.origin().clone(), [9; 32]);
    let report = verify_bundle(&whole.pack().expect("packed").zip, &[other]);
    assert!(names(&report).contains(&"checkpoint") && report.proven == 0, "{report:?}");
}

/// What the bundle's own script says of it, and how it ends.
fn by_hand(bundle: &Bundle, key: Option<&VerifyKey>) -> (Option<i32>, String) {
    run(&bag(&bundle.name, &bundle.info, &bundle.payload()), &bundle.name, key)
}

fn run(files: &Files, name: &str, key: Option<&VerifyKey>) -> (Option<i32>, String) {
    run_as(files, name, |shell| shell.args(key.map(ToString::to_string)))
}

/// The same with whatever else the shell is told.
fn run_as(files: &Files, name: &str, told: impl FnOnce(&mut Command) -> &mut Command) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let mut shell = Command::new("/bin/sh");
    shell.arg(folder.path().join(name).join("data/verify.sh"));
    told(&mut shell);
    let output = shell.output().expect("run sh");
    (output.status.code(), [output.stdout, output.stderr].concat().into_iter().map(char::from).collect())
}

/// The same entries and proofs under one that was changed.
fn with_proof(whole: &Bundle, at: usize, change: impl FnOnce(&str) -> String) -> Vec<(String, String)> {
    let proof = whole.proven[at].1.to_string();
    vec![(format!("proofs/{:010}.tlog-proof", whole.proven[at].1.index), change(&proof))]
}

#[tokio::test]
async fn the_script_finds_what_the_program_finds() {
    let (whole, key) = bundle().await;
    let said = |bundle: &Bundle| by_hand(bundle, Some(&key));
    let (code, text) = said(&whole);
    assert!(code == Some(0) && text.contains("5 entries are in it; 5 private values"), "{text}");
    let not: Vec<&str> = text.split("NOT ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    assert_eq!(not, ["CHECKED", "ANCHORED"], "all but the stamp's signature: {text}");
    let mut cases: Vec<(&str, &str, Bundle)> = Vec::new();
    let mut case = |program: &'static str, script: &'static str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole.clone();
        change(&mut bundle);
        cases.push((program, script, bundle));
    };
    case("other_history", "is an entry of KAL-1", &|b| (b.name, b.info) = ("KAL-2".to_owned(), vec![(IDENTIFIER, "KAL-2".to_owned())]));
    case("unexplained", "neither there nor named", &|b| drop(b.disclosures.remove(1)));
    case("value_of_nothing", "no entry committed", &|b| {
        b.disclosures.push(Disclosure::seal("", [99; 16], "note", "never said").expect("sealed"));
    });
    case("gap", "entry 1 of the activation is missing", &|b| drop((b.proven.remove(1), b.disclosures.remove(1))));
    case("empty", "no entry is in it", &|b| (b.proven, b.disclosures, b.anchors) = Default::default());
    case("not_proven", "is not in the record that was signed", &|b| {
        let (first, second) = (b.proven[1].0.clone(), b.proven[2].0.clone());
        (b.proven[1].0, b.proven[2].0) = (second, first);
    });
    case("twice", "is there twice, or is named as withheld", &|b| {
        let (body, proof) = &b.proven[1];
        b.withheld.push(Withheld { index: proof.index, leaf: body.leaf(), aseq: Some(1), value: None, reason: "personal data" });
    });
    case("unsaid", "entry 6 does not say what a line of data/anchors.csv says: that the checkpoint of 6 entries went to registry", &|b| {
        b.anchors.iter_mut().for_each(|given| given.to = "registry".to_owned());
    });
    case("unsaid", "and how that is known (puback)", &|b| b.anchors.iter_mut().for_each(|given| given.receipt = "puback"));
    case("not_continued", "does not begin with what went outside", &|b| {
        b.anchors.iter_mut().for_each(|given| given.root = Digest::of(&[b"another"]));
    });
    case("other_note", "is another than data/anchors.csv says", &|b| {
        b.anchors.iter_mut().for_each(|given| given.note = Some(whole.checkpoint.clone()));
    });
    case("other_stamp", "is another time stamp than entry 6 has", &|b| {
        b.anchors.iter_mut().for_each(|given| given.stamp = Some(reply_of(b"another note")));
    });
    case("not_stamped", "is a time stamp, and data/anchors/0000000006.checkpoint is missing", &|b| {
        b.anchors.iter_mut().for_each(|given| given.note = None);
    });
    for (program, script, bundle) in cases {
        both_find(&bag_with(&bundle, |_| ()), &key, program, script);
    }
    // Files among those that went outside which no line names, also where there is no list.
    for name in ["0000000007.checkpoint", ".hidden", "..hidden", "a name"] {
        let more = bag_with(&whole, |files| drop(files.insert(format!("data/anchors/{name}"), whole.checkpoint.to_string().into_bytes())));
        both_find(&more, &key, "unnamed", &format!("no line of data/anchors.csv names data/anchors/{name}"));
    }
    let unlisted = bag_with(&whole, |files| drop(files.remove("data/anchors.csv")));
    both_find(&unlisted, &key, "unnamed", "no line of data/anchors.csv names data/anchors/0000000006.0000000006.tsr");
    // Not even a list of nothing.
    let none = bag_with(&whole, |files| files.retain(|path, _| !path.starts_with("data/anchors")));
    let (code, text) = run(&none, NAME, Some(&key));
    assert!(code == Some(0) && text.contains("NOT ANCHORED"), "{text}");
}

/// Both the program and the script find this wrong with a bundle that has these files.
fn both_find(files: &Files, key: &VerifyKey, program: &str, script: &str) {
    let name = files.keys().find_map(|path| path.strip_suffix("/bagit.txt")).expect("a folder");
    let report = verify_bundle(&zip::pack(files).expect("packed"), std::slice::from_ref(key));
    assert!(names(&report).contains(&program), "{program}: {report:?}");
    let (code, text) = run(files, name, Some(key));
    assert!(code == Some(1) && text.contains(script), "{program}: {text}");
}

/// The bag of one, with other files in the place of its own.
fn bag_with(bundle: &Bundle, change: impl FnOnce(&mut Files)) -> Files {
    let mut payload = bundle.payload();
    change(&mut payload);
    bag(&bundle.name, &bundle.info, &payload)
}

#[tokio::test]
async fn nothing_that_a_bundle_says_is_run_or_reaches_a_terminal() {
    let (whole, key) = bundle().await;
    let folder = tempfile::tempdir().expect("a folder");
    let trap = folder.path().join("trap");
    let trap = format!("a[$(touch${{IFS}}{})]", trap.display());
    let mut forged = Vec::new();
    // A proof's place, and numbers in the list of what is withheld, in which a shell that reckons would run a command.
    forged.push(with_proof(&whole, 1, |proof| proof.replacen("index 2", &format!("index {trap}"), 1)));
    forged.push(with_proof(&whole, 1, |proof| proof.replacen("index 2", "index 7", 1)));
    forged.push(vec![("withheld.csv".to_owned(), format!("{WITHHELD}\n{trap},{trap},{trap},,,\n"))]);
    forged.push(vec![("checkpoint".to_owned(), whole.checkpoint.to_string().replacen("\n7\n", &format!("\n{trap}\n"), 1))]);
    forged.push(vec![("records/\u{1b}]0;owned\u{7}.json".to_owned(), "{}".to_owned())]);
    let mut beyond = with_proof(&whole, 1, |proof| proof.replacen("index 2", "index 7", 1));
    beyond[0].0 = "proofs/0000000007.tlog-proof".to_owned();
    beyond.push(("records/0000000007.json".to_owned(), String::from_utf8_lossy(whole.proven[1].0.bytes()).into_owned()));
    forged.push(beyond);
    for files in forged {
        let mut bundle = whole.clone();
        let mut payload = bundle.payload();
        payload.extend(files.into_iter().map(|(path, text)| (format!("data/{path}"), text.into_bytes())));
        bundle.info.push(("Note", "\u{1b}[31m".to_owned()));
        for key in [Some(&key), None] {
            let (code, text) = run(&bag(&bundle.name, &bundle.info, &payload), &bundle.name, key);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.chars().all(|letter| letter == '\n' || (' '..='~').contains(&letter)), "{text:?}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "something was run");
    let mut payload = whole.payload();
    payload.insert("data/log.vkey".to_owned(), "\u{1b}[2J+\u{9b}2J\n".into());
    let (code, text) = run(&bag(NAME, &whole.info, &payload), NAME, None);
    assert!(code != Some(0) && text.chars().all(|letter| letter == '\n' || (' '..='~').contains(&letter)), "{text:?}");
}

#[tokio::test]
async fn what_was_opened_again_or_brings_its_own_key_is_not_called_whole() {
    let (whole, key) = bundle().await;
    let (code, text) = by_hand(&whole, None);
    assert!(code == Some(2) && text.contains("NOT PROVEN"), "{text}");
    let mut cut = whole.clone();
    drop((cut.proven.remove(3), cut.disclosures.remove(3)));
    let report = verify_bundle(&cut.pack().expect("packed").zip, std::slice::from_ref(&key));
    assert!(report.is_sound() && !report.closed, "{report:?}");
    let (code, text) = by_hand(&cut, Some(&key));
    assert!(code == Some(0) && text.contains("NOT COMPLETE"), "{text}");
    assert_eq!(report.digest, Some(cut.pack().expect("packed").digest));
}

#[tokio::test]
async fn the_record_begins_with_what_was_given_outside() {
    let (whole, key) = bundle().await;
    let keys = [key];
    let check = |bundle: &Bundle| verify_bundle(&bundle.pack().expect("packed").zip, &keys);
    let report = check(&whole);
    let said: Vec<_> = report.outside.iter().map(|outside| (outside.to.as_str(), outside.size)).collect();
    assert_eq!((names(&report), said), (vec![], vec![("insurer", 6)]));
    let with = |change: &dyn Fn(&mut Given)| {
        let mut other = whole.clone();
        other.anchors.iter_mut().for_each(change);
        names(&check(&other))
    };
    // The note is not known any more, and then nobody can verify a stamp of it.
    assert_eq!(with(&|given| (given.note, given.stamp) = (None, None)), [""; 0]);
    assert_eq!(with(&|given| given.note = None), ["not_stamped"]);
    // Another history was given, or the way is another one.
    assert_eq!(with(&|given| given.root = Digest::of(&[b"another"])), ["not_continued", "unsaid", "other_note"]);
    assert_eq!(with(&|given| given.onwards.path.truncate(1)), ["not_continued"]);
    assert_eq!(with(&|given| given.note = Some(whole.checkpoint.clone())), ["other_note", "not_stamped"]);
    assert_eq!(with(&|given| given.origin = "other.example.org/1".to_owned()), ["unsaid", "other_note"]);
    // Somebody else, or another time, or another entry.
    assert_eq!(with(&|given| given.to = "registry".to_owned()), ["unsaid"]);
    assert_eq!(with(&|given| given.recorded_at = "2026-04-13T06:04:00.000000Z".to_owned()), ["unsaid"]);
    assert_eq!(with(&|given| given.entry = 5), ["unsaid", "other_stamp"]);
    assert_eq!(with(&|given| given.to = "(withheld)".to_owned()), ["unsaid"]);
    assert_eq!(with(&|given| given.receipt = "smtp"), ["unsaid"]);
    let unread = ["unreadable", "unnamed", "unnamed", "unnamed"];
    assert_eq!(with(&|given| given.to = "a,b".to_owned()), unread);
    assert_eq!(with(&|given| given.size = 0), unread);
    // Nobody was given anything.
    let mut nobody = whole.clone();
    nobody.anchors.clear();
    let report = check(&nobody);
    assert_eq!((names(&report), report.anchored, report.outside), (vec![], false, vec![]));
}

#[tokio::test]
async fn a_stamp_is_of_the_note_beside_it_and_nobody_says_that_it_was_verified() {
    let (whole, key) = bundle().await;
    let keys = [key];
    let check = |bundle: &Bundle| verify_bundle(&bundle.pack().expect("packed").zip, &keys);
    let report = check(&whole);
    let stamped = report.outside.iter().find_map(|outside| outside.stamp.as_ref()).expect("a stamp");
    assert_eq!((stamped.stamp.serial.as_str(), stamped.stamp.at.to_string().as_str()), ("02", "2026-11-30T06:48:38Z"));
    let (file, note) = ("data/anchors/0000000006.0000000006.tsr", "data/anchors/0000000006.checkpoint");
    assert_eq!((stamped.file.as_str(), stamped.note.as_str()), (file, note));
    let (code, text) = by_hand(&whole, keys.first());
    let to_run = format!("openssl ts -verify -data {note} -in {file} -CAfile");
    assert!(
        code == Some(0) && text.contains("NOT CHECKED  that an authority signed the time stamp of insurer") && text.contains(&to_run),
        "{text}"
    );
    // Two authorities may have stamped one note.
    let mut twice = whole.clone();
    let second = Given { entry: 8, to: "registry".to_owned(), stamp: Some(reply_of(b"theirs")), ..whole.anchors[0].clone() };
    twice.anchors.push(second);
    assert_eq!(twice.payload().keys().filter(|path| path.contains(".tsr")).count(), 2);

    // What the entry has is no stamp, or one of something else: the record says so, and it is worth nothing.
    let forged = [("stamp", b"no stamp at all".to_vec()), ("not_stamped", reply_of(b"another note"))];
    for (fault, token) in forged {
        let (other, key) = bundle_of(|_| answered(token.clone())).await;
        both_find(&bag_with(&other, |_| ()), &key, fault, "is a time stamp of something else than");
    }
}

/// What an entry says of a stamp is the station's word. What the stamp says is compared with it.
#[tokio::test]
async fn an_entry_that_says_another_time_or_number_than_its_stamp_is_found() {
    for (at, serial) in [
        ("2020-01-01T00:00:00Z", "02"),
        ("2026-11-30T06:48:38.5Z", "02"),
        ("2026-11-30T06:48:38", "02"),
        ("*", "02"),
        ("2026-11-30T06:48:38Z", "03"),
        ("2026-11-30T06:48:38Z", "2"),
        ("2026-11-30T06:48:38Z", "0002"),
        ("2026-11-30T06:48:38Z", "82"),
        ("2026-11-30T06:48:38Z", ""),
        ("2026-11-30T06:48:38Z", "*"),
    ] {
        let (bundle, key) = bundle_of(|note| claimed(reply_of(note), at, serial)).await;
        both_find(&bag_with(&bundle, |_| ()), &key, "other_claim", "entry 6 says another time or serial number than");
    }
    // A time with parts of a second, and numbers that begin with a bit that is set or are zero.
    for (at, serial, time, number) in [
        ("2026-11-30T06:48:38.25Z", "02", "20261130064838.25Z", &[2][..]),
        ("2026-11-30T06:48:38Z", "00", "20261130064838Z", &[0]),
        ("2026-11-30T06:48:38Z", "80", "20261130064838Z", &[0, 0x80]),
        ("2026-11-30T06:48:38Z", "f1a2", "20261130064838Z", &[0, 0xf1, 0xa2]),
        ("2026-11-30T06:48:38Z", "7fa2", "20261130064838Z", &[0x7f, 0xa2]),
    ] {
        let (bundle, key) = bundle_of(|note| claimed(saying(note, number, time), at, serial)).await;
        let report = verify_bundle(&bundle.pack().expect("packed").zip, std::slice::from_ref(&key));
        assert_eq!(names(&report), [""; 0], "{at} {serial}");
        let (code, text) = by_hand(&bundle, Some(&key));
        assert!(code == Some(0) && text.contains(&format!("which says {at}: ")), "{at} {serial}: {text}");
    }
}

/// An authority keeps nothing, and whoever has not verified what it made has nobody's word but the station's.
#[tokio::test]
async fn a_stamp_that_nobody_verified_anchors_nothing_and_a_keeper_does() {
    let (kept, key) = bundle_kept().await;
    let report = verify_bundle(&kept.pack().expect("packed").zip, std::slice::from_ref(&key));
    assert!(report.is_sound() && report.anchored && report.outside.iter().all(|outside| !outside.is_stamp()), "{report:?}");
    let (code, text) = by_hand(&kept, Some(&key));
    let given = format!("insurer was given the first 6 entries of {ORIGIN}, recorded at 2026-04-13T06:04:06.000000Z: ask for theirs");
    assert!(code == Some(0) && text.contains(&given) && !text.contains("NOT "), "{text}");

    let (whole, key) = bundle().await;
    let mut without = whole.clone();
    without.anchors.iter_mut().for_each(|given| given.stamp = None);
    for (bundle, said) in [
        (&whole, "NOT CHECKED  that an authority signed the time stamp of insurer"),
        (&without, "NOT CHECKED  entry 6 has a time stamp that is not in this bundle"),
    ] {
        let report = verify_bundle(&bundle.pack().expect("packed").zip, std::slice::from_ref(&key));
        assert!(report.is_sound() && !report.anchored, "{report:?}");
        let [outside] = report.outside.as_slice() else { panic!("{report:?}") };
        assert!(outside.is_stamp() && outside.lacks_stamp == outside.stamp.is_none(), "{outside:?}");
        let (code, text) = by_hand(bundle, Some(&key));
        let asked = format!("insurer was asked to stamp the first 6 entries of {ORIGIN}");
        assert!(code == Some(0) && text.contains("NOT ANCHORED") && text.contains(said) && text.contains(&asked), "{text}");
        assert!(!text.contains("was given the first") && !text.contains("ask for theirs"), "{text}");
    }

    // Withheld with its entry: nobody can compare it, and whoever passed it on may have written that line. Before, it anchored.
    for (bundle, went) in [(&kept, "was given"), (&without, "was asked to stamp")] {
        let mut other = bundle.clone();
        let (body, _) = other.proven.pop().expect("the receipt");
        other.disclosures.pop();
        other.withheld.push(Withheld { index: RECEIPT, leaf: body.leaf(), aseq: None, value: None, reason: "which anchor it was" });
        other.anchors.iter_mut().for_each(|given| given.to = "(withheld)".to_owned());
        let report = verify_bundle(&other.pack().expect("packed").zip, &[bundle.keys[0].clone()]);
        assert_eq!((names(&report), report.anchored), (vec![], false));
        let (code, text) = by_hand(&other, bundle.keys.first());
        let says = format!("a list says, and nothing in this bundle shows, that somebody {went} the first 6 entries");
        assert!(code == Some(0) && text.contains("NOT ANCHORED") && text.contains(&says) && !text.contains("ask for theirs"), "{text}");
        // Nothing lies beyond what was signed, withheld or not.
        other.withheld.iter_mut().for_each(|withheld| withheld.index = 999);
        other.anchors.iter_mut().for_each(|given| given.entry = 999);
        both_find(&bag_with(&other, |_| ()), &key, "unreadable", "lies beyond the 7 entries that were signed");
    }
}

/// What an authority signed has its place. Before, the script took the time from wherever it stood in the file, signed or not.
#[tokio::test]
async fn a_time_that_lies_beside_what_was_signed_is_not_taken_for_the_stamps() {
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], length.as_slice(), content].concat()
    };
    let with_words = |note: &[u8], words: &[u8]| {
        let reply = reply_of(note);
        let at = reply.windows(5).position(|part| part == [0x30, 3, 2, 1, 0]).expect("a status");
        let status = [&[2, 1, 0], element(0x30, &element(0x0c, words)).as_slice()].concat();
        element(0x30, &[element(0x30, &status).as_slice(), &reply[at + 5..]].concat())
    };
    let forged = |note: &[u8]| {
        let imprint = [&hex("3031300d060960864801650304020105000420"), Digest::of(&[note]).as_bytes().as_slice()].concat();
        let words = [imprint.as_slice(), &[2, 1, 0x77, 0x18, 15], b"20200101000000Z"].concat();
        with_words(note, &words)
    };
    let (bundle, key) = bundle_of(|note| claimed(forged(note), "2020-01-01T00:00:00Z", "77")).await;
    let (code, text) = by_hand(&bundle, Some(&key));
    assert!(code == Some(1) && text.contains("entry 6 says another time or serial number than"), "{text}");
    // What was signed is found whatever lies beside it.
    let (bundle, key) = bundle_of(|note| answered(forged(note))).await;
    let (code, text) = by_hand(&bundle, Some(&key));
    assert!(code == Some(0) && text.contains("which says 2026-11-30T06:48:38Z"), "{text}");
    // Nor is a time one that a terminal or a shell would do something with.
    let (bundle, key) = bundle_of(|note| claimed(reply_of(note), "2026-11-30T06:48:38Z\n", "02")).await;
    let (code, text) = by_hand(&bundle, Some(&key));
    assert!(code == Some(1) && text.contains("WRONG"), "{text}");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|digit| u8::try_from((char::from(digit)).to_digit(16).expect("hex")).expect("small")).collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

/// What only the reader's certificates or the reader's machine lack is nothing that is wrong with the bundle.
#[tokio::test]
async fn what_cannot_be_verified_or_checked_here_is_not_called_wrong() {
    let (whole, key) = bundle().await;
    let with = |bundle: &Bundle, certificates: &Path| {
        let files = bag(NAME, &bundle.info, &bundle.payload());
        let (code, text) = run_as(&files, NAME, |shell| shell.arg(key.to_string()).arg(certificates));
        assert!(code == Some(3) && !text.contains("WRONG"), "{text}");
        text
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("written");
        folder.path().join(name)
    };
    // Certificates of somebody else, or none in a form that is read, or none at all.
    let theirs = file("theirs.pem", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let text = with(&whole, &theirs);
    for words in
        ["NOT VERIFIED  that an authority signed the time stamp of insurer", "NOT VERIFIED  certificates were given", "NOT ANCHORED"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(with(&whole, &file("theirs.der", &[0x30, 0, 1, 2])).contains("NOT CHECKED  no certificate is in "));
    assert!(with(&whole, &folder.path().join("mistyped.pem")).contains("NOT CHECKED  the file with the certificates cannot be read"));
    assert!(with(&whole, folder.path()).contains("NOT CHECKED  the file with the certificates cannot be read"));
    // No stamp to verify with them.
    let mut without = whole.clone();
    without.anchors.iter_mut().for_each(|given| given.stamp = None);
    let text = with(&without, &theirs);
    assert!(text.contains("NOT CHECKED  entry 6 has a time stamp that is not in this bundle"), "{text}");
    assert!(text.contains("NOT VERIFIED  certificates were given, and no time stamp was verified with them"), "{text}");
    let (kept, key) = bundle_kept().await;
    let files = bag(NAME, &kept.info, &kept.payload());
    let (code, text) = run_as(&files, NAME, |shell| shell.arg(key.to_string()).arg(&theirs));
    assert!(code == Some(3) && text.contains("NOT VERIFIED  certificates were given") && !text.contains("NOT ANCHORED"), "{text}");
}

/// Everything that the script uses.
const TOOLS: [&str; 13] = ["base64", "basenc", "cat", "cut", "dirname", "head", "mktemp", "od", "openssl", "rm", "sha256sum", "tail", "tr"];

#[tokio::test]
async fn a_machine_that_lacks_a_tool_calls_nothing_wrong() {
    let (whole, key) = bundle_kept().await;
    let files = bag(NAME, &whole.info, &whole.payload());
    let check = |change: &dyn Fn(&Path)| {
        let tools = tempfile::tempdir().expect("a folder");
        for tool in TOOLS {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool)).into_iter().find(|path| path.exists());
            std::os::unix::fs::symlink(found.expect(tool), tools.path().join(tool)).expect("linked");
        }
        change(tools.path());
        run_as(&files, NAME, |shell| shell.arg(key.to_string()).env("PATH", tools.path()))
    };
    let (code, text) = check(&|_| {});
    assert_eq!(code, Some(0), "{text}");
    for (tool, needed) in
        [("openssl", "openssl 3"), ("basenc", "basenc"), ("sha256sum", "sha256sum"), ("base64", "base64"), ("od", "od of")]
    {
        // It is missing, or is another program of that name which knows less.
        for replaced in [None, Some("#!/bin/sh\necho unknown option >&2\nexit 1\n"), Some("#!/bin/sh\nexit 0\n")] {
            if (tool, replaced) == ("openssl", Some("#!/bin/sh\nexit 0\n")) {
                continue;
            }
            let (code, text) = check(&|tools| {
                std::fs::remove_file(tools.join(tool)).expect("removed");
                if let Some(program) = replaced {
                    std::fs::write(tools.join(tool), program).expect("written");
                    let may_run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                    std::fs::set_permissions(tools.join(tool), may_run).expect("made a program");
                }
            });
            let said = text.contains("NOT CHECKED  this needs ") && text.contains(needed) && !text.contains("WRONG");
            assert!(code == Some(3) && said, "{tool} {replaced:?}: {text}");
        }
    }
}
