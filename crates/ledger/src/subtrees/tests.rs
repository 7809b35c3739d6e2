use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use serde_json::Value;
use sha2::Sha256;

use super::*;
use crate::proof;
use crate::tree::Frontier;

const LARGE: &str = include_str!("../../../../tests/golden/record/vectors_large.json");

fn leaf(index: u64) -> LeafHash {
    LeafHash::of(format!("leaf-{index}").as_bytes())
}

fn tree(size: u64) -> Subtrees {
    let mut tree = Subtrees::new();
    tree.extend((0..size).map(leaf));
    tree
}

/// Reads the blocks that are asked for, and no others.
fn read(blocks: BTreeSet<u64>) -> Blocks {
    let mut read = Blocks::default();
    for block in blocks {
        read.insert(block, (block * BLOCK..(block + 1) * BLOCK).map(leaf).collect());
    }
    read
}

fn bytes(path: &[Digest]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn the_proofs_of_the_large_vectors_come_out() {
    let vectors: Value = serde_json::from_str(LARGE).expect("JSON");
    let tree = tree(1000);
    let number = |value: &Value| value.as_u64().expect("a number");
    let hex = |path: Vec<Digest>| Value::from(path.iter().map(ToString::to_string).collect::<Vec<_>>());
    for vector in vectors["inclusion"].as_array().expect("a list") {
        let (index, size) = (number(&vector["index"]), number(&vector["size"]));
        let proof = tree.inclusion(index, size, &read(tree.needed(&[index, size]))).expect("a proof");
        assert_eq!(hex(proof.path), vector["proof"], "{vector}");
    }
    for vector in vectors["consistency"].as_array().expect("a list") {
        let (older, newer) = (number(&vector["old"]), number(&vector["new"]));
        let proof = tree.consistency(older, newer, &read(tree.needed(&[older, newer]))).expect("a proof");
        assert_eq!(hex(proof.path), vector["proof"], "{vector}");
    }
}

#[test]
fn a_proof_beyond_the_record_or_without_its_leaves_is_refused() {
    let tree = tree(600);
    let none = Blocks::default();
    assert_eq!(tree.inclusion(0, 601, &none), Err(CannotProve::Beyond { asked: 601, size: 600 }));
    assert_eq!(tree.inclusion(600, 600, &none), Err(CannotProve::Beyond { asked: 601, size: 600 }));
    assert!(matches!(tree.inclusion(3, 600, &none), Err(CannotProve::Missing { .. })));
    assert_eq!(tree.consistency(500, 400, &none), Err(CannotProve::Beyond { asked: 500, size: 400 }));
    assert_eq!(tree.consistency(9, 601, &none), Err(CannotProve::Beyond { asked: 601, size: 600 }));
    assert!(tree.inclusion(599, 600, &none).is_ok(), "what has no full block is in memory");
    assert_eq!(Subtrees::new().head().root, Frontier::new().root());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What `ct-merkle` proves, we prove with the same bytes, and verify.
    #[test]
    fn proofs_are_those_of_another_library(size in 1_u64..1500, newest in 0_u64..300, at in any::<u64>()) {
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for index in 0..size {
            theirs.push(format!("leaf-{index}").into_bytes());
        }
        let ours = tree(size + newest);
        let (index, older) = (at % size, at % (size + 1));
        let blocks = read(ours.needed(&[index, older, size]));
        let head = ours.head_at(size, &blocks).expect("a head");
        let root = theirs.root();
        prop_assert_eq!(&head.root.digest().as_bytes()[..], root.as_bytes().as_slice());
        let mut frontier = Frontier::new();
        frontier.extend((0..size + newest).map(leaf));
        prop_assert_eq!(ours.head(), TreeHead { size: frontier.size(), root: frontier.root() });

        let inclusion = ours.inclusion(index, size, &blocks).expect("a proof");
        let theirs_in = theirs.prove_inclusion(usize::try_from(index).expect("small"));
        prop_assert_eq!(bytes(&inclusion.path), theirs_in.as_bytes());
        prop_assert_eq!(proof::includes(&head, index, leaf(index), &inclusion), Ok(()));
        prop_assert!(proof::includes(&head, index, leaf(index + 1), &inclusion).is_err());

        if older > 0 {
            let consistency = ours.consistency(older, size, &blocks).expect("a proof");
            let theirs_on = theirs.prove_consistency(usize::try_from(size - older).expect("small"));
            prop_assert_eq!(bytes(&consistency.path), theirs_on.as_bytes());
            let before = ours.head_at(older, &blocks).expect("a head");
            prop_assert_eq!(proof::continues(&before, &head, &consistency), Ok(()));
            let altered = TreeHead { root: head.root, ..before };
            prop_assert_eq!(proof::continues(&altered, &head, &consistency).is_ok(), older == size);
        }
    }
}
