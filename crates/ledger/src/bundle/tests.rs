use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::batch::Sealed;
use crate::key::Origin;
use crate::memory::MemoryLedger;
use crate::signer::{Signer, SigningKeys};
use crate::signing_key::SigningKey;
use crate::stamp::tests::reply_of;
use crate::subtrees::{Blocks, Subtrees};
use crate::{Batch, ConsistencyProof, Ledger as _, Seq};

const NAME: &str = "KAL-1";
const ORIGIN: &str = "alerts.example.org/kalamunda/1";
/// The last entry, which is of no activation.
const RECEIPT: u64 = 6;

/// A record with one activation of four entries between others, signed; and the bundle of it.
async fn bundle() -> (Bundle, VerifyKey) {
    bundle_stamped(reply_of).await
}

/// The same with what an authority is said to have answered of the note that it was given.
async fn bundle_stamped(stamp: impl Fn(&[u8]) -> Vec<u8>) -> (Bundle, VerifyKey) {
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
            let stamp = stamp(note.to_string().as_bytes());
            entry["receipt"] = json!({ "rfc3161": { "at": "2026-11-30T06:48:38Z", "serial": "02", "token": STANDARD.encode(&stamp) } });
            given = Some((note, stamp));
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
    let (note, stamp) = given.expect("the last entry says so");
    let onwards = tree.consistency(6, 7, &Blocks::default()).expect("a way");
    let checkpoint = signer.sign(tree.head(), &onwards).expect("signed");
    let given = Given {
        to: "insurer".to_owned(),
        entry: RECEIPT,
        recorded_at: "2026-04-13T06:04:06.000000Z".to_owned(),
        origin: note.origin().to_string(),
        size: note.size(),
        root: *note.root().digest(),
        receipt: "a time stamp".to_owned(),
        onwards,
        note: Some(note),
        stamp: Some(stamp),
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
        assert_eq!((names(&report), report.proven, report.values, report.withheld, report.closed), (vec![], 5, 5, 0, true));
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
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let mut shell = std::process::Command::new("sh");
    shell.arg(folder.path().join(name).join("data/verify.sh")).args(key.map(ToString::to_string));
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
    assert!(text.matches("NOT ").count() == 1 && text.contains("NOT CHECKED"), "all but the stamp's signature: {text}");
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
    case("unsaid", "does not say that the checkpoint of 6 entries was given to registry", &|b| {
        b.anchors.iter_mut().for_each(|given| given.to = "registry".to_owned());
    });
    case("not_continued", "does not begin with what was given away", &|b| {
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
        let report = verify_bundle(&bundle.pack().expect("packed").zip, std::slice::from_ref(&key));
        assert!(names(&report).contains(&program), "{program}: {report:?}");
        let (code, text) = said(&bundle);
        assert!(code == Some(1) && text.contains(script), "{program}: {text}");
    }
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
    assert!(report.anchored);
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
    assert_eq!(with(&|given| given.to = "a,b".to_owned()), ["unreadable"]);
    assert_eq!(with(&|given| given.size = 0), ["unreadable"]);
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
    // Without it the bundle proves as much as with it.
    let mut without = whole.clone();
    without.anchors.iter_mut().for_each(|given| given.stamp = None);
    let report = check(&without);
    assert!(report.is_sound() && report.anchored && report.outside.iter().all(|outside| outside.stamp.is_none()), "{report:?}");

    // Two authorities may have stamped one note.
    let mut twice = whole.clone();
    let second = Given { entry: 8, to: "registry".to_owned(), stamp: Some(reply_of(b"theirs")), ..whole.anchors[0].clone() };
    twice.anchors.push(second);
    assert_eq!(twice.payload().keys().filter(|path| path.contains(".tsr")).count(), 2);

    // What the entry has is no stamp, or one of something else: the record says so, and it is worth nothing.
    let forged = [("stamp", b"no stamp at all".to_vec()), ("not_stamped", reply_of(b"another note"))];
    for (fault, token) in forged {
        let (other, key) = bundle_stamped(|_| token.clone()).await;
        let report = verify_bundle(&other.pack().expect("packed").zip, std::slice::from_ref(&key));
        assert_eq!(names(&report), [fault]);
        let (code, text) = by_hand(&other, Some(&key));
        assert!(code == Some(1) && text.contains("is a time stamp of something else than"), "{fault}: {text}");
    }
}
