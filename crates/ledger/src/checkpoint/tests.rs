use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};

use super::*;
use crate::tlog_proof::TlogProof;

const VECTORS: &str = include_str!("../../../../tests/golden/record/vectors.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).expect("JSON")
}

fn key(vectors: &Value, name: &str) -> VerifyKey {
    vectors[name]["vkey"].as_str().expect("a key").parse().expect("a key")
}

fn notes(vectors: &Value, name: &str) -> Vec<String> {
    let note = |note: &Value| note.as_str().or_else(|| note["note"].as_str()).expect("a note").to_owned();
    each(&vectors[name]).into_iter().map(note).collect()
}

/// The items of a list, or of an object in order of their keys.
fn each(list: &Value) -> Vec<&Value> {
    let items: Vec<_> = match list {
        Value::Array(items) => items.iter().collect(),
        Value::Object(items) => items.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    assert!(!items.is_empty());
    items
}

/// What the reference library for Rust says of a note.
fn theirs(note: &str, key: &VerifyKey) -> bool {
    let verifier = StandardVerifier::new(&key.to_string()).expect("a key");
    let known = VerifierList::new(vec![Box::new(verifier)]);
    Note::from_bytes(note.as_bytes()).is_ok_and(|note| note.verify(&known).is_ok())
}

#[test]
fn every_note_of_the_vectors_opens_and_is_written_back_the_same() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    let mut all: Vec<(Option<u64>, String)> =
        notes(&vectors, "signed_notes").into_iter().zip(0..).map(|(note, size)| (Some(size), note)).collect();
    for name in ["cosigned_note_8", "dual_signed_note_8"] {
        all.push((Some(8), vectors[name].as_str().expect("a note").to_owned()));
    }
    for (size, note) in all {
        let checkpoint = Checkpoint::open(&note, std::slice::from_ref(&key)).expect("a checkpoint");
        assert_eq!(Some(checkpoint.size()), size);
        assert_eq!(checkpoint.root().digest().to_string(), vectors["roots"][checkpoint.size().to_string()].as_str().expect("hex"));
        assert_eq!(checkpoint.to_string(), note);
        assert!(theirs(&note, &key));
    }
}

#[test]
fn every_bad_note_is_refused_and_every_ambiguous_one() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    for note in notes(&vectors, "bad_notes").iter().chain(&notes(&vectors, "ambiguous_notes")) {
        assert!(Checkpoint::open(note, std::slice::from_ref(&key)).is_err(), "{note}");
    }
}

#[test]
fn no_note_survives_a_flipped_bit() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    let note = &notes(&vectors, "signed_notes")[8];
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Checkpoint::open(&changed, std::slice::from_ref(&key)).is_err(), "{changed}");
        }
    }
}

#[test]
fn both_keys_of_a_rotation_are_verified_where_both_are_known() {
    let vectors = vectors();
    let both = [key(&vectors, "log_key"), key(&vectors, "log_key_2")];
    let note = vectors["dual_signed_note_8"].as_str().expect("a note");
    assert!(Checkpoint::open(note, &both).is_ok());
    // A false signature of a known key is refused even beside a true one.
    let last = note.trim_end().rfind("10AQ=").expect("the end of the second signature");
    let altered = format!("{}20AQ=\n", &note[..last]);
    assert!(matches!(Checkpoint::open(&altered, &both), Err(NotACheckpoint::NotSigned(NotSigned::False { .. }))));
    assert!(Checkpoint::open(&altered, &both[..1]).is_ok(), "who does not know the key cannot tell");
    let line = note.lines().nth(4).expect("a signature");
    let twice = format!("{note}{line}\n");
    assert!(matches!(Checkpoint::open(&twice, &both), Err(NotACheckpoint::NotSigned(NotSigned::Twice { .. }))));
}

/// What is signed truly and is no checkpoint of ours is none: another spelling of the size, a line more, another record.
#[test]
fn only_the_one_spelling_of_a_checkpoint_is_one() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    let seed: Vec<u8> = (0..32).collect();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key");
    assert_eq!(pair.public_key().as_ref(), key.public());
    let root = "u6AXCOeqZcos9Ddq6mFRme+NDhWznONgT6yPFuP3MZ8=";
    let origin = key.name().as_str();
    let signed = |text: &str| {
        let bytes: Vec<u8> = key.id().0.iter().chain(pair.sign(text.as_bytes()).as_ref()).copied().collect();
        format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(bytes))
    };
    let good = signed(&format!("{origin}\n8\n{root}\n"));
    assert_eq!(good, notes(&vectors, "signed_notes")[8], "signed with the same bytes");
    assert!(Checkpoint::open(&good, std::slice::from_ref(&key)).is_ok());
    for text in [
        format!("{origin}\n08\n{root}\n"),
        format!("{origin}\n+8\n{root}\n"),
        format!("{origin}\n8\n{root}\nextension\n"),
        format!("{origin}\n8\n{}\n", &root[..40]),
        format!("{origin}\n18446744073709551616\n{root}\n"),
        format!("{origin}/2\n8\n{root}\n"),
        format!("{origin}\n8\n"),
    ] {
        let note = signed(&text);
        assert!(theirs(&note, &key), "truly signed: {text}");
        assert!(Checkpoint::open(&note, std::slice::from_ref(&key)).is_err(), "{text}");
    }
}

#[test]
fn every_proof_file_of_the_vectors_proves_its_entry_and_no_other() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    let leaves = vectors["leaves"].as_array().expect("leaves");
    let files = each(&vectors["tlog_proofs"]);
    assert_eq!(files.len(), leaves.len());
    for file in files.into_iter().chain([&vectors["tlog_proof_6_cosigned"]]) {
        let file = file.as_str().expect("text");
        let proof = TlogProof::open(file, std::slice::from_ref(&key)).expect("a proof");
        assert_eq!(proof.to_string(), file);
        for leaf in leaves {
            let proven = proof.proves(leaf["utf8"].as_str().expect("text").as_bytes());
            assert_eq!(proven.is_ok(), leaf["index"] == proof.index);
        }
        for wrong in [
            file.replace("@v1", "@v2"),
            file.replace("index ", "index 0"),
            file.replace("\nindex", "\nextra AAAA\nindex"),
            file.replace("=\n\n", "\n\n"),
            file.trim_end().to_owned(),
            file.replace('\n', "\r\n"),
        ] {
            assert!(TlogProof::open(&wrong, std::slice::from_ref(&key)).is_err(), "{wrong}");
        }
    }
}

/// Every verifier of bare RFC 6962 proofs takes an interior node for a leaf of a smaller tree. Here neither a leaf hash nor a
/// size can be handed in, so it cannot even be asked.
#[test]
fn an_interior_node_cannot_pass_for_an_entry() {
    let vectors = vectors();
    let key = key(&vectors, "log_key");
    let checkpoint = Checkpoint::open(&notes(&vectors, "signed_notes")[8], std::slice::from_ref(&key)).expect("a checkpoint");
    for foot in vectors["footgun_accepted_by_raw_api"].as_array().expect("a list") {
        let hash = |value: &Value| Digest::from_hex(value.as_str().expect("hex")).expect("a digest");
        let path = InclusionProof { path: foot["proof"].as_array().expect("a path").iter().map(hash).collect() };
        let children: Vec<u8> = hash(&foot["leaf_hash"]).as_bytes().to_vec();
        for index in 0..8 {
            assert!(checkpoint.includes(index, &children, &path).is_err());
        }
        let raw = TreeHead { size: foot["size"].as_u64().expect("a size"), root: Root::from_digest(hash(&foot["root"])) };
        let leaf = LeafHash::from_digest(hash(&foot["leaf_hash"]));
        assert_eq!(proof::includes(&raw, foot["index"].as_u64().expect("a place"), leaf, &path), Ok(()), "the trap is a real one");
    }
}
