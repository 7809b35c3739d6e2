use serde_json::json;

use super::*;
use crate::batch::Sealed;
use crate::key::Origin;
use crate::memory::MemoryLedger;
use crate::signer::{Signer, SigningKeys};
use crate::signing_key::SigningKey;
use crate::subtrees::{Blocks, Subtrees};
use crate::{Batch, ConsistencyProof, Ledger as _, Seq};

const NAME: &str = "KAL-1";

/// A record with one activation of four entries between others, signed; and the bundle of it.
async fn bundle() -> (Bundle, VerifyKey) {
    let ledger = MemoryLedger::new();
    let mut batch = Batch::new(Seq::FIRST);
    for (n, kind, act, aseq) in [
        (0, "station.started", None, None),
        (1, "activation.raised", Some(NAME), Some(0)),
        (2, "note.added", Some(NAME), Some(1)),
        (3, "note.added", Some("KAL-2"), Some(1)),
        (4, "note.added", Some(NAME), Some(2)),
        (5, "activation.closed", Some(NAME), Some(3)),
        (6, "tick", None, None),
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
        batch.push(EntryBody::write(&entry).expect("an entry"), vec![note]);
    }
    ledger.append(&batch).await.expect("appended");
    let folder = tempfile::tempdir().expect("a folder");
    let origin: Origin = "alerts.example.org/kalamunda/1".parse().expect("a name");
    let current = SigningKey::create(&folder.path().join("key"), origin, &[7; 32]).expect("a key");
    let key = current.public().clone();
    let notes = folder.path().join("notes");
    Signer::create(&notes).expect("made");
    let mut signer = Signer::open(&notes, SigningKeys { current, before: None }).expect("a signer");
    let mut tree = Subtrees::new();
    tree.extend(batch.entries().iter().map(|Sealed { body, .. }| body.leaf()));
    let checkpoint = signer.sign(tree.head(), &ConsistencyProof::default()).expect("signed");
    let proven = batch.placed().filter(|(_, sealed)| sealed.body.columns().stream == NAME).map(|(seq, sealed)| {
        let path = tree.inclusion(seq.index(), checkpoint.size(), &Blocks::default()).expect("a path");
        (sealed.body.clone(), TlogProof { index: seq.index(), path, checkpoint: checkpoint.clone() })
    });
    let disclosures =
        batch.placed().filter(|(_, sealed)| sealed.body.columns().stream == NAME).flat_map(|(_, sealed)| sealed.disclosures.clone());
    let bundle = Bundle {
        name: NAME.to_owned(),
        info: vec![("External-Identifier", NAME.to_owned())],
        keys: vec![key.clone()],
        proven: proven.collect(),
        disclosures: disclosures.collect(),
        withheld: Vec::new(),
        papers: vec![("report.html", "<p>words</p>".to_owned())],
        checkpoint,
    };
    (bundle, key)
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
        assert_eq!((names(&report), report.proven, report.values, report.withheld, report.closed), (vec![], 4, 4, 0, true));
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
    assert_eq!(check(&other), ["other_history"; 4]);
    // Under another key.
    let other: VerifyKey = VerifyKey::new(whole.checkpoint.origin().clone(), [9; 32]);
    let report = verify_bundle(&whole.pack().expect("packed").zip, &[other]);
    assert!(names(&report).contains(&"checkpoint") && report.proven == 0, "{report:?}");
}
