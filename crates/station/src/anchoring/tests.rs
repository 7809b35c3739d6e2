use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use escalation::verdict::Outcome;
use ledger::{ConsistencyProof, LeafHash, Signer, SigningKey, SigningKeys, Subtrees};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn had(size: u64, when: &str) -> Option<LastAnchored> {
    Some(LastAnchored { size, at: at(when) })
}

#[test]
fn a_checkpoint_is_owed_for_what_happened_and_never_for_a_receipt() {
    let now = at("2026-11-28T10:00:00Z");
    let said = |when: &[Occasion], last, size, change, closing| {
        owed(&when.iter().copied().collect(), last, size, Milestones { change, closing }, now)
    };
    let today = had(10, "2026-11-28T09:00:00Z");
    let change = [Occasion::Change];
    assert_eq!(said(&change, None, 1, 1, 0), Some(Occasion::Change));
    assert_eq!(said(&change, today, 11, 10, 0), None, "only the receipt itself was added");
    assert_eq!(said(&change, today, 12, 12, 0), Some(Occasion::Change));
    assert_eq!(said(&change, today, 10, 12, 0), None, "what was added is not signed yet");
    let mail = [Occasion::Closing, Occasion::Daily];
    assert_eq!(said(&mail, today, 30, 30, 9), None, "that closing is covered");
    assert_eq!(said(&mail, today, 19, 30, 20), None, "that closing is not signed yet");
    assert_eq!(said(&mail, today, 20, 30, 20), Some(Occasion::Closing));
    assert_eq!(said(&mail, None, 5, 5, 0), Some(Occasion::Daily), "the first is given at once");
    assert_eq!(said(&mail, had(10, "2026-11-27T23:59:59Z"), 11, 10, 9), Some(Occasion::Daily), "however quiet the day was");
    assert_eq!(said(&mail, had(10, "2026-11-29T00:00:00Z"), 11, 11, 9), None, "a clock that was set back brings none twice");
}

#[test]
fn an_anchor_that_fails_is_tried_less_and_less() {
    assert_eq!([1, 2, 3, 7, 16].map(|failures| again_after(failures).as_secs()), [10, 20, 40, 600, 600]);
}

#[test]
fn the_next_day_is_never_now() {
    assert_eq!(until_next_day(at("2026-11-28T00:00:00Z")).as_secs(), 86_400);
    assert_eq!(until_next_day(at("2026-11-28T23:59:59Z")).as_secs(), 1);
}

/// Signs trees of growing size.
struct Desk {
    signer: Signer,
    latest: watch::Sender<Option<Arc<Checkpoint>>>,
    health: watch::Sender<Health>,
    told: Arc<Mutex<Vec<Input>>>,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        Signer::create(&path).unwrap();
        let current = SigningKey::from_seed("alerts.example.org/kalamunda/1".parse().unwrap(), &[7; 32]).unwrap();
        let signer = Signer::open(&path, SigningKeys { current, before: None }).unwrap();
        let (latest, health) = (watch::channel(None).0, watch::channel(Health::default()).0);
        Self { signer, latest, health, told: Arc::default(), _folder: folder }
    }

    fn parts(&self) -> Parts {
        let told = Arc::clone(&self.told);
        let submit: Submit = Arc::new(move |input| {
            told.lock().unwrap().push(input);
            Box::pin(async { Verdict::Durable(Outcome::default()) })
        });
        let now: Timestamp = at("2026-11-28T10:00:00Z");
        let (latest, health) = (self.latest.subscribe(), self.health.subscribe());
        Parts { latest, keys: self.signer.keys(), health, submit, now: Arc::new(move || now) }
    }

    /// The record has this size, all of it worth telling, and is signed.
    fn grow_to(&mut self, size: u64) {
        self.health.send_modify(|health| health.milestones.change = size);
        let mut tree = Subtrees::new();
        tree.extend((0..size).map(|index| LeafHash::of(&index.to_be_bytes())));
        let older = self.signer.last().map_or(0, Checkpoint::size);
        let proof = tree.consistency(older, size, &ledger::Blocks::default()).unwrap_or(ConsistencyProof { path: Vec::new() });
        let signed = self.signer.sign(tree.head(), &proof).unwrap();
        self.latest.send_replace(Some(Arc::new(signed)));
    }

    fn told(&self) -> Vec<String> {
        let shown = |input: &Input| match input {
            Input::CheckpointAnchored(anchored) => format!("took {}", anchored.size),
            Input::TroubleNoticed(cause) => format!("{cause:?}"),
            other => panic!("{other:?}"),
        };
        self.told.lock().unwrap().iter().map(shown).collect()
    }
}

async fn soon(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn anchor(carry: Carry) -> Anchor {
    Anchor { name: AnchorName::parse("insurer").unwrap(), when: [Occasion::Change].into(), apart: Duration::from_mins(1), carry }
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_given_and_what_came_between_is_not() {
    let mut desk = Desk::new();
    desk.grow_to(3);
    let carry: Carry = Box::new(|parcel| {
        let receipt = Receipt::Http { status: 204, id: parcel.checkpoint.size().to_string() };
        Box::pin(async { Ok(receipt) })
    });
    let post = start(anchor(carry), desk.parts(), None);
    soon(|| desk.told() == ["took 3"]).await;
    for size in 4..=9 {
        desk.grow_to(size);
    }
    soon(|| desk.told() == ["took 3", "took 9"]).await;
    // The receipt is signed as well, and calls for nothing.
    desk.grow_to(10);
    desk.health.send_modify(|health| health.milestones.change = 9);
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(desk.told(), ["took 3", "took 9"]);
    drop(desk.latest);
    post.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_or_fails_is_a_trouble_until_it_takes() {
    let mut desk = Desk::new();
    desk.grow_to(3);
    let tries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&tries);
    let carry: Carry = Box::new(move |_parcel| {
        let mut tries = counted.lock().unwrap();
        *tries += 1;
        match *tries {
            1 => Box::pin(std::future::pending()),
            2 => Box::pin(async { Err("refused".to_owned()) }),
            _ => Box::pin(async { Ok(Receipt::Http { status: 200, id: "a".to_owned() }) }),
        }
    });
    let post = start(anchor(carry), desk.parts(), None);
    let trouble = r#"AnchorFailing { anchor: AnchorName(Slug("insurer")) }"#;
    soon(|| desk.told() == [trouble, trouble, "took 3"]).await;
    drop(desk.latest);
    post.await.unwrap();
}

/// A program that is started again and again sends no more for it.
#[tokio::test(start_paused = true)]
async fn a_restart_waits_as_long_as_there_was_to_wait() {
    let mut desk = Desk::new();
    desk.grow_to(12);
    let given = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&given);
    let carry: Carry = Box::new(move |_parcel| {
        seen.store(true, Ordering::Relaxed);
        Box::pin(async { Ok(Receipt::Http { status: 200, id: "a".to_owned() }) })
    });
    let began = tokio::time::Instant::now();
    let post = start(anchor(carry), desk.parts(), had(10, "2026-11-28T09:59:30Z"));
    soon(|| given.load(Ordering::Relaxed)).await;
    assert!(began.elapsed() >= Duration::from_secs(30), "the last one was half a minute ago");
    drop(desk.latest);
    post.await.unwrap();
}
