use std::sync::Mutex;

use escalation::verdict::Outcome;
use ledger::{ConsistencyProof, LeafHash, Signer, SigningKey, SigningKeys, Subtrees};

use super::*;

const ORIGIN: &str = "alerts.example.org/kalamunda/1";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn had(size: u64, when: &str) -> LastAnchored {
    LastAnchored { origin: ORIGIN.to_owned(), size, at: at(when) }
}

/// A record that grows and is signed, and a watch that says what it was told.
struct Desk {
    signer: Signer,
    signed: watch::Sender<Option<Arc<Checkpoint>>>,
    health: watch::Sender<Health>,
    told: Arc<Mutex<Vec<Input>>>,
    /// What the watch says to the inputs that come, in order; durable once there is nothing left.
    verdicts: Arc<Mutex<Vec<Verdict>>>,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        Signer::create(&path).unwrap();
        let current = SigningKey::from_seed(ORIGIN.parse().unwrap(), &[7; 32]).unwrap();
        let keeper = Signer::open(&path, SigningKeys { current, before: None }).unwrap();
        let health = Health { started: true, last_at: at("2026-11-28T10:00:00Z"), ..Health::default() };
        let (signed, health) = (watch::Sender::new(None), watch::Sender::new(health));
        Self { signer: keeper, signed, health, told: Arc::default(), verdicts: Arc::default(), _folder: folder }
    }

    fn parts(&self) -> Parts {
        let (told, verdicts) = (Arc::clone(&self.told), Arc::clone(&self.verdicts));
        let submit: Submit = Arc::new(move |input| {
            told.lock().unwrap().push(input);
            let verdict = verdicts.lock().unwrap().pop().unwrap_or(Verdict::Durable(Outcome::default()));
            Box::pin(async { verdict })
        });
        Parts { signed: self.signed.subscribe(), keys: self.signer.keys(), health: self.health.subscribe(), submit }
    }

    fn checkpoint(&mut self, size: u64) -> Checkpoint {
        let mut tree = Subtrees::new();
        tree.extend((0..size).map(|index| LeafHash::of(&index.to_be_bytes())));
        let older = self.signer.last().map_or(0, Checkpoint::size);
        let proof = tree.consistency(older, size, &ledger::Blocks::default()).unwrap_or(ConsistencyProof { path: Vec::new() });
        self.signer.sign(tree.head(), &proof).unwrap()
    }

    /// The record has this size, all of it worth telling up to `change`, and is signed.
    fn grow_to(&mut self, size: u64, change: u64) {
        self.health.send_modify(|health| health.milestones.change = change);
        let checkpoint = self.checkpoint(size);
        self.signed.send_replace(Some(Arc::new(checkpoint)));
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().iter().map(told_of).collect()
    }

    /// Waits an hour of the paused clock at the most.
    async fn expect(&self, told: &[&str]) {
        for _ in 0..36_000 {
            if self.told() == told {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} instead of {told:?}", self.told());
    }
}

fn told_of(input: &Input) -> String {
    if let Input::CheckpointAnchored(anchored) = input {
        format!("took {}", anchored.size)
    } else if let Input::TroubleNoticed(Cause::AnchorFailing { anchor }) = input {
        format!("{anchor} fails")
    } else {
        format!("{input:?}")
    }
}

fn anchor(when: &[Occasion], carry: Carry) -> Anchor {
    let name = AnchorName::parse("insurer").unwrap();
    Anchor { name, when: when.iter().copied().collect(), apart: Duration::from_mins(1), again: Duration::ZERO, carry }
}

/// One that does as it is told, one after the other, and takes everything from then on.
fn carrier(outcomes: impl IntoIterator<Item = Carrying>) -> Carry {
    let outcomes: Mutex<Vec<Carrying>> = Mutex::new(outcomes.into_iter().collect());
    Box::new(move |_parcel| {
        let mut outcomes = outcomes.lock().unwrap();
        if outcomes.is_empty() { Box::pin(async { Ok(Receipt::Puback) }) } else { outcomes.remove(0) }
    })
}

fn refuses() -> Carrying {
    Box::pin(async { Err(Refusal::asked("refused")) })
}

/// Nothing of it left.
fn is_not_reached() -> Carrying {
    Box::pin(async { Err(Refusal::unasked("connect")) })
}

fn is_busy(wait: Duration) -> Carrying {
    Box::pin(async move { Err(Refusal { wait: Some(wait), ..Refusal::asked("busy") }) })
}

#[test]
fn a_checkpoint_is_owed_for_what_happened_and_never_for_a_receipt() {
    let mut desk = Desk::new();
    let mut said = |when: &[Occasion], last: Option<&LastAnchored>, size, (change, closing)| {
        let milestones = Milestones { change, closing };
        is_owed(&when.iter().copied().collect(), last, &desk.checkpoint(size), milestones, at("2026-11-28T10:00:00Z"))
    };
    let today = had(10, "2026-11-28T09:00:00Z");
    let change = [Occasion::Change];
    assert!(said(&change, None, 1, (1, 0)));
    assert!(!said(&change, Some(&today), 10, (12, 0)), "what was added is not signed yet");
    assert!(!said(&change, Some(&today), 11, (10, 0)), "only the receipt itself was added");
    assert!(said(&change, Some(&today), 12, (12, 0)));
    let other = LastAnchored { origin: "alerts.example.org/kalamunda/0".to_owned(), ..had(1_042, "2026-11-28T09:00:00Z") };
    assert!(said(&change, Some(&other), 12, (12, 0)), "after a recovery sizes begin anew");
    let mail = [Occasion::Closing, Occasion::Daily];
    assert!(!said(&mail, Some(&today), 19, (30, 20)), "that closing is not signed yet");
    assert!(said(&mail, Some(&today), 20, (30, 20)));
    assert!(!said(&mail, Some(&today), 30, (30, 9)), "that closing is covered");
    assert!(said(&mail, None, 30, (5, 0)), "the first is given at once");
    assert!(said(&mail, Some(&had(30, "2026-11-27T23:59:59Z")), 31, (10, 9)), "however quiet the day was");
}

#[test]
fn an_anchor_that_fails_is_tried_less_and_less() {
    assert_eq!([1, 2, 3, 7, 16].map(|failures| again_after(failures).as_secs()), [10, 20, 40, 600, 600]);
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_given_and_neither_what_came_between_nor_a_receipt_calls_for_more() {
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    let giving = start(anchor(&[Occasion::Change], carrier([])), desk.parts(), Past::default());
    desk.expect(&["took 3"]).await;
    for size in 4..=9 {
        desk.grow_to(size, size);
    }
    desk.expect(&["took 3", "took 9"]).await;
    // The receipt is signed as well.
    desk.grow_to(10, 9);
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(desk.told(), ["took 3", "took 9"]);
    drop(desk.signed);
    giving.await.unwrap();
}

/// What was signed before this start may be of a record that is no longer there.
#[tokio::test(start_paused = true)]
async fn nothing_is_given_that_is_not_signed_of_this_record() {
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    desk.signed.send_replace(None);
    let giving = start(anchor(&[Occasion::Change, Occasion::Daily], carrier([])), desk.parts(), Past::default());
    tokio::time::sleep(Duration::from_hours(48)).await;
    assert!(desk.told().is_empty());
    drop(desk.signed);
    giving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_and_fails_is_a_trouble_and_one_failure_is_not() {
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    let hangs: Carrying = Box::pin(std::future::pending());
    let giving = start(anchor(&[Occasion::Change], carrier([hangs, refuses()])), desk.parts(), Past::default());
    desk.expect(&["insurer fails", "took 3"]).await;
    drop(desk.signed);
    giving.await.unwrap();
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    let giving = start(anchor(&[Occasion::Change], carrier([refuses()])), desk.parts(), Past::default());
    desk.expect(&["took 3"]).await;
    drop(desk.signed);
    giving.await.unwrap();
}

/// After how many seconds an anchor took something, and what was told until then.
async fn taken_after(again: Duration, outcomes: impl IntoIterator<Item = Carrying>) -> (u64, Vec<String>) {
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    let began = tokio::time::Instant::now();
    let asked = Anchor { again, ..anchor(&[Occasion::Daily], carrier(outcomes)) };
    let giving = start(asked, desk.parts(), Past::default());
    while desk.told().last().is_none_or(|last| last != "took 3") {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(began.elapsed() < Duration::from_hours(24), "{:?}", desk.told());
    }
    drop(desk.signed);
    giving.await.unwrap();
    (began.elapsed().as_secs(), desk.told.lock().unwrap().iter().map(told_of).collect())
}

/// An authority may charge for each answer, and one that is of no use today is of none in ten minutes. Before, one that was not
/// reached at all was tried again after an hour, and told as a trouble after the second.
#[tokio::test(start_paused = true)]
async fn one_that_is_asked_seldom_is_asked_seldom_also_while_it_fails() {
    let hour = Duration::from_hours(1);
    let failing = |count: usize| [vec!["insurer fails".to_owned(); count], vec!["took 3".to_owned()]].concat();
    assert_eq!(taken_after(hour, (0..3).map(|_| refuses())).await, (3 * 3_600, failing(3)), "once an hour");
    // Whatever it answers that is of no use is told at once; what never left is tried soon, and told the second time.
    assert_eq!(taken_after(hour, [refuses()]).await, (3_600, failing(1)));
    assert_eq!(taken_after(hour, [is_not_reached()]).await, (10, failing(0)));
    assert_eq!(taken_after(hour, (0..2).map(|_| is_not_reached())).await, (30, failing(1)));
    assert_eq!(taken_after(Duration::from_mins(1), [refuses()]).await.0, 60);
    // Anything else is tried soon, and one failure of it is none.
    assert_eq!(taken_after(Duration::ZERO, [refuses()]).await, (10, failing(0)));
    // Whoever asks to be left alone for longer is, and for no shorter than otherwise.
    assert_eq!(taken_after(Duration::ZERO, [is_busy(Duration::from_mins(30))]).await.0, 1_800);
    assert_eq!(taken_after(hour, [is_busy(Duration::from_mins(30))]).await.0, 3_600);
    assert_eq!(taken_after(Duration::ZERO, [is_busy(Duration::from_secs(1))]).await.0, 10);
}

/// Otherwise one that waits for closings would be said to fail until the next one, mended or not.
#[tokio::test(start_paused = true)]
async fn one_that_was_in_trouble_is_tried_at_the_start_whatever_it_waits_for() {
    let mut desk = Desk::new();
    desk.grow_to(12, 10);
    let past = Past { last: Some(had(10, "2026-11-28T10:00:00Z")), ended: Some(at("2026-11-28T10:00:00Z")), in_trouble: true };
    let giving = start(anchor(&[Occasion::Closing], carrier([])), desk.parts(), past);
    desk.expect(&["took 12"]).await;
    desk.grow_to(13, 13);
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(desk.told(), ["took 12"]);
    drop(desk.signed);
    giving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_offered_until_it_is_taken() {
    let mut desk = Desk::new();
    desk.grow_to(3, 3);
    desk.verdicts.lock().unwrap().extend([Verdict::NotTaken(NotTaken::Unrecorded), Verdict::NotTaken(NotTaken::Overloaded)]);
    let giving = start(anchor(&[Occasion::Change], carrier([])), desk.parts(), Past::default());
    desk.expect(&["took 3", "took 3", "took 3"]).await;
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(desk.told().len(), 3);
    drop(desk.signed);
    giving.await.unwrap();
}

/// A program that is started again and again sends no more for it.
#[tokio::test(start_paused = true)]
async fn a_restart_waits_as_long_as_there_was_to_wait() {
    let mut desk = Desk::new();
    desk.grow_to(12, 12);
    let began = tokio::time::Instant::now();
    let past = Past { last: Some(had(10, "2026-11-28T09:59:30Z")), ended: Some(at("2026-11-28T10:00:00Z")), in_trouble: false };
    let giving = start(anchor(&[Occasion::Change], carrier([])), desk.parts(), past);
    desk.expect(&["took 12"]).await;
    assert!(began.elapsed() >= Duration::from_secs(30), "the last one was half a minute before the end");
    drop(desk.signed);
    giving.await.unwrap();
}
