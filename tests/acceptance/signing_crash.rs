//! The power is cut between commit, root, signature, store and publication: nothing is published that is not durable, nothing
//! confirmed is lost, and what is signed again has the root that it had.
//!
//! `COOEE_SIGNING_ROUNDS=1000` runs the whole thousand; `COOEE_CRASH_SEED` repeats a run's moments. Roots are computed here from
//! the leaf hashes in the tables, and not by the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::daemon::Api;
use harness::{Button, Daemon, Gateway};
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::crash::Dice;
use crate::evidence::Evidence;
use crate::signing::{audit, checkpoint, signed};

const ROUNDS: usize = 30;
/// Between two looks at what is published, and between two presses: often enough that both are under way when the power goes.
const EVERY: Duration = Duration::from_millis(2);
/// A process that is cut by us lives at most so long: its start, its first signature and a good deal beside it.
const LIFE_MAX_MS: u64 = 400;

/// Where the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// The record has a turn, and nothing that depends on it has left.
    AfterCommit,
    /// The root is known, and nothing of it is on the disk: with the signature made or not, that is one state.
    BeforeSigning,
    /// The note is on the disk, and nobody has seen it.
    AfterStoring,
    /// Wherever it is just then.
    Anywhere,
    /// The same, and of a further note a part came to the disk.
    TornNote,
}

const MOMENTS: [Moment; 5] = [Moment::AfterCommit, Moment::BeforeSigning, Moment::AfterStoring, Moment::Anywhere, Moment::TornNote];

/// What came out of the daemon while it lived.
#[derive(Default)]
struct Seen {
    /// Presses that it acknowledged.
    acknowledged: Mutex<Vec<String>>,
    /// Sizes and roots that it published, since they were last looked at.
    published: Mutex<Vec<(usize, [u8; 32])>>,
}

/// The tree over the record, as it grows.
#[derive(Default)]
struct Tree {
    leaves: Vec<[u8; 32]>,
    /// Roots of whole subtrees, the largest first, each with its height.
    frontier: Vec<(u32, [u8; 32])>,
    /// The root of each size, from that of nothing on.
    roots: Vec<[u8; 32]>,
}

impl Tree {
    fn append(&mut self, leaf: [u8; 32]) {
        self.leaves.push(leaf);
        let (mut height, mut hash) = (0, leaf);
        while let Some((_, left)) = self.frontier.pop_if(|(left, _)| *left == height) {
            hash = node(&left, &hash);
            height += 1;
        }
        self.frontier.push((height, hash));
        let root = self.frontier.iter().rev().map(|(_, hash)| *hash).reduce(|right, left| node(&left, &right));
        self.roots.push(root.expect("there is a leaf"));
    }

    /// The root of the first so many entries.
    fn root(&self, size: usize) -> Option<&[u8; 32]> {
        self.roots.get(size.checked_sub(1)?)
    }

    /// Takes up what was committed since. What was read before is read once more, and must be what it was.
    fn read_on(&mut self, daemon: &Daemon) {
        let record = Connection::open_with_flags(daemon.data_dir().join("cooee.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut statement = record.prepare("SELECT seq, leaf_hash FROM entry ORDER BY seq").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?))).unwrap();
        let known = self.leaves.len();
        let mut count = 0;
        for (seq, leaf) in rows.map(Result::unwrap) {
            assert_eq!(usize::try_from(seq), Ok(count), "the record has a gap");
            match self.leaves.get(count) {
                Some(before) => assert_eq!(*before, leaf, "entry {seq} is another than it was"),
                None => self.append(leaf),
            }
            count += 1;
        }
        assert!(count >= known, "the record had {known} entries, and has {count}");
    }
}

/// RFC 6962: the hash of two hashes.
fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    digest(&SHA256, &[&[1], &left[..], &right[..]].concat()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn rounds() -> usize {
    std::env::var("COOEE_SIGNING_ROUNDS").ok().map_or(ROUNDS, |rounds| rounds.parse().expect("COOEE_SIGNING_ROUNDS is a number"))
}

/// Size and root of a checkpoint's note.
fn size_and_root(note: &str) -> Option<(usize, [u8; 32])> {
    let mut lines = note.lines().skip(1);
    let size = lines.next()?.parse().ok()?;
    Some((size, STANDARD.decode(lines.next()?).ok()?.try_into().ok()?))
}

/// Notes what is published.
async fn look(api: &Api, seen: &Seen) -> ! {
    loop {
        if let Some(answer) = api.get("/api/v1/record/checkpoint").await
            && let Some(found) = size_and_root(&answer.text)
        {
            seen.published.lock().unwrap().push(found);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Presses, and notes what was acknowledged.
async fn press(button: &Button, seen: &Seen) -> ! {
    loop {
        let id = button.press().await;
        seen.acknowledged.lock().unwrap().push(id);
        tokio::time::sleep(EVERY).await;
    }
}

/// Lets the daemon live until the power is cut.
async fn live_and_die(daemon: &mut Daemon, moment: Moment, dice: &mut Dice) {
    // Most die at the first time, in their first second; the second signature of a process is a second later.
    let times = 1 + usize::from(dice.up_to_ms(8).is_zero());
    let place = match moment {
        Moment::AfterCommit => Some(format!("after_append_before_release:{}", 1 + dice.up_to_ms(12).as_millis())),
        Moment::BeforeSigning => Some(format!("before_signing:{times}")),
        Moment::AfterStoring => Some(format!("after_signing:{times}")),
        Moment::Anywhere | Moment::TornNote => None,
    };
    daemon.set_env("COOEE_FAILPOINT", place.as_deref());
    daemon.launch();
    if place.is_some() {
        let ended = daemon.ended().await;
        assert!(!ended.success(), "{moment:?}: it must have died there");
    } else {
        tokio::time::sleep(dice.up_to_ms(LIFE_MAX_MS)).await;
        daemon.kill();
    }
    if moment == Moment::TornNote {
        let path = daemon.data_dir().join("checkpoints");
        let notes = std::fs::read(&path).unwrap();
        let most = u64::try_from(notes.len().min(150)).unwrap();
        let part = usize::try_from(dice.up_to_ms(most).as_millis()).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&notes[..part]).unwrap();
    }
}

/// A daemon that dies again and again, and what it claimed.
struct Trial {
    dice: Dice,
    tree: Tree,
    published: BTreeMap<usize, [u8; 32]>,
    /// How often a size was published that had been before.
    again: usize,
    kills: BTreeMap<Moment, usize>,
}

impl Trial {
    async fn run(&mut self, daemon: &mut Daemon, seen: &Seen) {
        for moment in MOMENTS.into_iter().cycle().take(rounds()) {
            live_and_die(daemon, moment, &mut self.dice).await;
            *self.kills.entry(moment).or_default() += 1;
            self.judge(daemon, seen);
        }
        daemon.set_env("COOEE_FAILPOINT", None);
        daemon.start_again().await;
        let size = Evidence::of(daemon).entries().len();
        checkpoint(daemon, u64::try_from(size).unwrap()).await;
        self.judge(daemon, seen);
    }

    /// Whether all that was published is durable, and has the root that it had.
    fn judge(&mut self, daemon: &Daemon, seen: &Seen) {
        self.tree.read_on(daemon);
        let run = self.dice.seed();
        for (size, root) in std::mem::take(&mut *seen.published.lock().unwrap()) {
            let durable = self.tree.root(size);
            assert!(durable.is_some(), "{size} entries were published, and {} are durable (seed {run})", self.tree.leaves.len());
            assert_eq!(durable, Some(&root), "the root that was published of {size} entries (seed {run})");
            self.again += usize::from(self.published.insert(size, root).is_some());
        }
    }
}

#[tokio::test]
async fn cut_between_commit_root_signature_store_and_publication_nothing_is_claimed_that_is_not_durable() {
    let gateway = Gateway::start();
    let (mut daemon, key) = signed(&gateway).await;
    let button = Button::connect_by(daemon.listener_options("counter"), "kalamunda-library", "front-counter-1").await;
    let (seen, api) = (Seen::default(), daemon.api());
    let mut trial = Trial { dice: Dice::new(), tree: Tree::default(), published: BTreeMap::new(), again: 0, kills: BTreeMap::new() };
    daemon.kill();
    tokio::select! {
        () = trial.run(&mut daemon, &seen) => {}
        never = look(&api, &seen) => never,
        never = press(&button, &seen) => never,
    }
    let Trial { dice, tree, published, again, kills } = trial;
    let acknowledged = std::mem::take(&mut *seen.acknowledged.lock().unwrap());
    let evidence = Evidence::of(&daemon);
    let recorded: BTreeSet<&str> = evidence.entries().iter().filter_map(|entry| entry["signal"]["id"].as_str()).collect();
    for id in &acknowledged {
        assert!(recorded.contains(id.as_str()), "{id} was acknowledged and is not in the record (seed {})", dice.seed());
    }
    let text = std::fs::read_to_string(daemon.data_dir().join("checkpoints")).unwrap();
    let (notes, rest) = ledger::notes(&text);
    assert_eq!(rest, "", "what was torn is cut off");
    let signed: Vec<(usize, [u8; 32])> = notes.iter().map(|note| size_and_root(note).expect("a note of ours")).collect();
    assert!(signed.windows(2).all(|pair| pair[0].0 < pair[1].0), "each size is signed once, and none is taken back");
    for (size, root) in &signed {
        assert_eq!(tree.root(*size), Some(root), "the root that was signed of {size} entries");
    }
    for (size, root) in &published {
        assert!(signed.contains(&(*size, *root)), "{size} entries were published before they were signed");
    }
    let (code, said) = audit(&daemon, &key, None);
    assert_eq!((code, &said["sound"]), (Some(0), &Value::from(true)), "{said}");
    assert!(!acknowledged.is_empty() && !published.is_empty(), "a run in which nothing was promised proves nothing");
    eprintln!(
        "signing, cut short: {} kills {kills:?}, {} presses acknowledged, 0 lost, {} entries, {} checkpoints signed, {} published, {again} \
         of them seen again with the same root (seed {})",
        rounds(),
        acknowledged.len(),
        tree.leaves.len(),
        signed.len(),
        published.len(),
        dice.seed(),
    );
}
