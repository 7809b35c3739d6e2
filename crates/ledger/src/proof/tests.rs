use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../../tests/golden/record/vectors.json");
const LARGE: &str = include_str!("../../../../tests/golden/record/vectors_large.json");

fn digest(value: &Value) -> Digest {
    Digest::from_hex(value.as_str().expect("hex")).expect("a digest")
}

fn path(vector: &Value) -> Vec<Digest> {
    vector["proof"].as_array().expect("a path").iter().map(digest).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn head(size: &Value, root: &Value) -> TreeHead {
    TreeHead { size: number(size), root: Root::from_digest(digest(root)) }
}

fn included(vector: &Value) -> Result<(), NotProven> {
    let leaf = LeafHash::from_digest(digest(&vector["leaf_hash"]));
    includes(&head(&vector["size"], &vector["root"]), number(&vector["index"]), leaf, &InclusionProof { path: path(vector) })
}

fn continued(vector: &Value) -> Result<(), NotProven> {
    let (older, newer) = (head(&vector["old"], &vector["old_root"]), head(&vector["new"], &vector["new_root"]));
    continues(&older, &newer, &ConsistencyProof { path: path(vector) })
}

fn each<'a>(vectors: &'a Value, name: &str) -> &'a Vec<Value> {
    let list = vectors[name].as_array().expect("a list");
    assert!(!list.is_empty(), "{name}");
    list
}

#[test]
fn every_proof_of_the_vectors_holds() {
    for text in [VECTORS, LARGE] {
        let vectors: Value = serde_json::from_str(text).expect("JSON");
        for vector in each(&vectors, "inclusion") {
            assert_eq!(included(vector), Ok(()), "{vector}");
        }
        for vector in each(&vectors, "consistency") {
            assert_eq!(continued(vector), Ok(()), "{vector}");
        }
    }
}

#[test]
fn every_bad_proof_of_the_vectors_is_refused() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    for vector in each(&vectors, "bad") {
        let refused = match vector["kind"].as_str().expect("a kind") {
            "inclusion" => included(vector),
            "consistency" => continued(vector),
            other => panic!("a kind of vector that nobody reads: {other}"),
        };
        assert!(refused.is_err(), "{vector}");
    }
}

/// A fork and a cut tail are named for what they are.
#[test]
fn what_is_wrong_between_two_trees_is_named() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let named = |part: &str| {
        let vector = each(&vectors, "bad").iter().find(|vector| vector["name"].as_str().expect("a name").contains(part));
        continued(vector.expect("a vector"))
    };
    assert_eq!(named("fork"), Err(NotProven::Forked { size: 8 }));
    assert_eq!(named("truncated tail"), Err(NotProven::Shrunk { older: 8, newer: 5 }));
    assert_eq!(named("deleted leaf"), Err(NotProven::NotContinued { older: 5 }));
}

#[test]
fn no_proof_survives_a_flipped_bit() {
    let vectors: Value = serde_json::from_str(LARGE).expect("JSON");
    let flipped = |path: &[Digest], bit: usize| {
        let mut path = path.to_vec();
        let mut bytes = *path[bit / 256].as_bytes();
        bytes[bit % 256 / 8] ^= 1 << (bit % 8);
        path[bit / 256] = Digest::from_bytes(bytes);
        path
    };
    for vector in each(&vectors, "inclusion") {
        let leaf = LeafHash::from_digest(digest(&vector["leaf_hash"]));
        let tree = head(&vector["size"], &vector["root"]);
        let path = path(vector);
        for bit in 0..path.len() * 256 {
            let proof = InclusionProof { path: flipped(&path, bit) };
            assert_eq!(includes(&tree, number(&vector["index"]), leaf, &proof), Err(NotProven::NotIncluded));
        }
    }
    for vector in each(&vectors, "consistency") {
        let (older, newer) = (head(&vector["old"], &vector["old_root"]), head(&vector["new"], &vector["new_root"]));
        let path = path(vector);
        for bit in 0..path.len() * 256 {
            let proof = ConsistencyProof { path: flipped(&path, bit) };
            assert_eq!(continues(&older, &newer, &proof), Err(NotProven::NotContinued { older: older.size }));
        }
    }
}

#[test]
fn anything_continues_the_empty_record_and_nothing_else_passes_for_it() {
    let empty = TreeHead { size: 0, root: Root::of_nothing() };
    let one = TreeHead { size: 1, root: Root::from_digest(*LeafHash::of(b"a").digest()) };
    let none = ConsistencyProof::default();
    assert_eq!(continues(&empty, &one, &none), Ok(()));
    assert_eq!(continues(&empty, &one, &ConsistencyProof { path: vec![*one.root.digest()] }), Err(NotProven::NotContinued { older: 0 }));
    assert_eq!(continues(&TreeHead { size: 0, root: one.root }, &one, &none), Err(NotProven::NotContinued { older: 0 }));
    assert_eq!(continues(&empty, &empty, &none), Ok(()));
    assert!(includes(&empty, 0, LeafHash::of(b"a"), &InclusionProof::default()).is_err());
}
