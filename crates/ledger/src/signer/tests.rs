use proptest::prelude::*;

use super::*;
use crate::key::Origin;
use crate::note::NotSigned;
use crate::subtrees::{Blocks, Subtrees};
use crate::tree::LeafHash;

fn origin() -> Origin {
    "alerts.example.org/kalamunda/1".parse().expect("a name")
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(origin(), &[seed; 32]).expect("a key")
}

fn only(seed: u8) -> SigningKeys {
    SigningKeys { current: key(seed), before: None }
}

/// A record of `size` entries that are all different in another `history`.
fn record(history: u8, size: u64) -> Subtrees {
    let mut tree = Subtrees::new();
    tree.extend((0..size).map(|index| LeafHash::of(format!("{history}-{index}").as_bytes())));
    tree
}

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        Signer::create(&desk.path()).expect("made");
        desk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    fn signer(&self, keys: SigningKeys) -> Signer {
        Signer::open(&self.path(), keys).expect("opens")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).expect("read")
    }
}

fn sign(signer: &mut Signer, tree: &Subtrees) -> Result<Checkpoint, SignerError> {
    let older = signer.last().map_or(0, Checkpoint::size);
    let proof = tree.consistency(older, tree.size(), &Blocks::default()).unwrap_or_default();
    signer.sign(tree.head(), &proof)
}

#[test]
fn what_continues_is_signed_and_is_on_the_disk() {
    let desk = Desk::new();
    let mut signer = desk.signer(only(1));
    for size in [0, 1, 2, 7, 7, 200] {
        let given = sign(&mut signer, &record(0, size)).expect("signed");
        assert_eq!((given.size(), given.root()), (size, record(0, size).head().root));
        assert!(desk.text().ends_with(&given.to_string()));
        assert_eq!(Checkpoint::open(&given.to_string(), &signer.keys()).as_ref(), Ok(&given));
    }
    assert_eq!(notes(&desk.text()).0.len(), 5, "the same tree is not written twice");
}

#[test]
fn a_rollback_a_fork_and_a_rewritten_history_are_refused_also_after_a_restart() {
    let desk = Desk::new();
    let mut signer = desk.signer(only(1));
    let given = sign(&mut signer, &record(0, 9)).expect("signed");
    for restart in [false, true] {
        if restart {
            drop(signer);
            signer = desk.signer(only(1));
        }
        assert_eq!(signer.last(), Some(&given));
        assert!(matches!(sign(&mut signer, &record(0, 8)), Err(SignerError::Refused(NotProven::Shrunk { older: 9, newer: 8 }))));
        assert!(matches!(sign(&mut signer, &record(0, 0)), Err(SignerError::Refused(NotProven::Shrunk { .. }))));
        assert!(matches!(sign(&mut signer, &record(1, 9)), Err(SignerError::Refused(NotProven::Forked { size: 9 }))));
        assert!(matches!(sign(&mut signer, &record(1, 20)), Err(SignerError::Refused(NotProven::NotContinued { older: 9 }))));
        assert_eq!(sign(&mut signer, &record(0, 9)).expect("the same again"), given);
    }
    assert_eq!(desk.text(), given.to_string(), "nothing is remembered of what was refused");
}

#[test]
fn a_signer_without_its_memory_or_with_another_ones_does_not_start() {
    let desk = Desk::new();
    sign(&mut desk.signer(only(1)), &record(0, 3)).expect("signed");
    assert!(matches!(
        Signer::open(&desk.path(), only(2)),
        Err(SignerError::NotOurs { why: NotACheckpoint::NotSigned(NotSigned::ByNoKnownKey), .. })
    ));
    let held = desk.signer(only(1));
    assert!(matches!(Signer::open(&desk.path(), only(1)), Err(SignerError::InUse { .. })));
    drop(held);
    assert!(matches!(Signer::create(&desk.path()), Err(SignerError::File { attempted: "make", .. })), "it is never made anew");
    let altered = desk.text().replace("\n3\n", "\n2\n");
    std::fs::write(desk.path(), altered).expect("written");
    assert!(matches!(
        Signer::open(&desk.path(), only(1)),
        Err(SignerError::NotOurs { why: NotACheckpoint::NotSigned(NotSigned::False { .. }), .. })
    ));
    std::fs::remove_file(desk.path()).expect("removed");
    assert!(matches!(Signer::open(&desk.path(), only(1)), Err(SignerError::Forgotten { .. })));
}

#[test]
fn a_rotation_has_both_signatures_before_it_has_the_new_one_alone() {
    let desk = Desk::new();
    let first = sign(&mut desk.signer(only(1)), &record(0, 3)).expect("signed");
    assert!(matches!(Signer::open(&desk.path(), only(2)), Err(SignerError::NotOurs { .. })), "not without an overlap");
    let both = sign(&mut desk.signer(SigningKeys { current: key(2), before: Some(key(1)) }), &record(0, 3)).expect("signed");
    assert_eq!(both.note().signatures().len(), 2);
    for seed in [1, 2] {
        assert!(Checkpoint::open(&both.to_string(), &[key(seed).public().clone()]).is_ok(), "who knows one key is content");
    }
    let new = sign(&mut desk.signer(only(2)), &record(0, 5)).expect("signed");
    assert!(Checkpoint::open(&new.to_string(), &[key(1).public().clone()]).is_err());
    assert_eq!(notes(&desk.text()).0, [first.to_string(), both.to_string(), new.to_string()]);
    let other = SigningKey::from_seed("elsewhere/1".parse().expect("a name"), &[3; 32]);
    assert!(matches!(Signer::open(&desk.path(), SigningKeys { current: key(2), before: other }), Err(SignerError::TwoNames)));
}

#[test]
fn after_a_recovery_a_new_name_begins_and_the_old_note_is_at_hand() {
    let desk = Desk::new();
    let old = sign(&mut desk.signer(only(1)), &record(0, 9)).expect("signed");
    let following =
        |name: &Origin| SigningKeys { current: SigningKey::from_seed(name.following(), &[4; 32]).expect("a key"), before: None };
    let mut signer = desk.signer(following(&origin()));
    assert_eq!((signer.last(), signer.succeeds()), (None, Some(old.note())));
    let new = sign(&mut signer, &record(0, 5)).expect("a shorter record is given under a new name");
    assert_eq!(new.origin().as_str(), "alerts.example.org/kalamunda/2");
    assert_eq!(signer.succeeds(), None);
    drop(signer);
    assert!(matches!(Signer::open(&desk.path(), only(1)), Err(SignerError::NotOurs { .. })), "there is no way back");
    let again = desk.signer(following(&origin()));
    assert_eq!((again.last(), again.succeeds()), (Some(&new), None));
}

#[test]
fn what_was_given_away_is_found_again_by_its_size() {
    let desk = Desk::new();
    let mut signer = desk.signer(only(1));
    let given: Vec<Checkpoint> = [3, 5, 9, 14].into_iter().map(|size| sign(&mut signer, &record(0, size)).expect("signed")).collect();
    let ask = |sizes: &[u64], keys: &[SigningKey]| {
        let keys: Vec<VerifyKey> = keys.iter().map(|key| key.public().clone()).collect();
        given_away(&desk.path(), &sizes.iter().copied().collect(), &keys)
    };
    assert_eq!(ask(&[5, 14, 7], &[key(1)]), [given[1].clone(), given[3].clone()]);
    assert_eq!(ask(&[3, 5, 9, 14], &[key(1)]), given);
    assert_eq!(ask(&[5], &[key(1), key(2)]), [], "each of the keys has to vouch for it");
    let whole = std::fs::read(desk.path()).expect("read");
    for short in 1..given[3].to_string().len() {
        std::fs::write(desk.path(), &whole[..whole.len() - short]).expect("written");
        assert_eq!(ask(&[9, 14], &[key(1)]), [given[2].clone()], "{short} bytes short");
    }
    std::fs::remove_file(desk.path()).expect("removed");
    assert_eq!(ask(&[3, 5, 9, 14], &[key(1)]), [], "what is away has nothing more");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Killed anywhere in a write: what was given away is remembered, and the identical root is given again.
    #[test]
    fn a_torn_note_is_cut_off_and_signed_again_the_same(size in 1_u64..40, more in 1_u64..40, cut in any::<prop::sample::Index>()) {
        let desk = Desk::new();
        let given = sign(&mut desk.signer(only(1)), &record(0, size)).expect("signed");
        let torn = sign(&mut desk.signer(only(1)), &record(0, size + more)).expect("signed");
        let whole = std::fs::read(desk.path()).expect("read");
        let given_len = given.to_string().len();
        let kept = given_len + cut.index(whole.len() - given_len);
        std::fs::write(desk.path(), &whole[..kept]).expect("written");
        let mut signer = desk.signer(only(1));
        prop_assert_eq!(signer.last(), Some(&given));
        prop_assert_eq!(sign(&mut signer, &record(0, size + more)).expect("signed"), torn);
        prop_assert_eq!(std::fs::read(desk.path()).expect("read"), whole);
    }
}
