use std::sync::Mutex;

use escalation::verdict::{Outcome, Verdict};
use ledger::memory::MemoryLedger;
use ledger::{Batch, EntryBody, Origin, SigningKey, SigningKeys};
use tokio::task::JoinHandle;

use super::*;

/// A record, a signer's files, and a watch that says what it was told.
struct House {
    ledger: MemoryLedger,
    folder: tempfile::TempDir,
    health: watch::Sender<Health>,
    told: Arc<Mutex<Vec<Input>>>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Signer::create(&folder.path().join("checkpoints")).unwrap();
        let (health, _) = watch::channel(Health::default());
        Self { ledger: MemoryLedger::new(), folder, health, told: Arc::default() }
    }

    fn signer(&self) -> Result<Signer, NotaryError> {
        let origin: Origin = "alerts.example.org/kalamunda/1".parse().unwrap();
        let current = SigningKey::from_seed(origin, &[7; 32]).unwrap();
        Ok(Signer::open(&self.folder.path().join("checkpoints"), SigningKeys { current, before: None })?)
    }

    async fn record(&self, count: u64) {
        self.record_as("a", count).await;
    }

    /// Entries of another history where `whose` is another.
    async fn record_as(&self, whose: &str, count: u64) {
        for _ in 0..count {
            let next = self.ledger.head().await.unwrap().next();
            let body = format!(r#"{{"n":{},"of":"{whose}","t":"2026-11-21T02:14:31.038254Z","type":"tick","v":1}}"#, next.index());
            let mut batch = Batch::new(next);
            batch.push(EntryBody::parse(body.as_bytes()).unwrap(), Vec::new());
            self.ledger.append(&batch).await.unwrap();
        }
        let size = self.ledger.head().await.unwrap().size();
        self.health.send_modify(|health| health.size = size);
    }

    fn open(&self, who: Result<Signer, NotaryError>) -> (JoinHandle<()>, Shelf<MemoryLedger>) {
        let told = Arc::clone(&self.told);
        let submit: Submit = Arc::new(move |input| {
            told.lock().unwrap().push(input);
            Box::pin(async { Verdict::Durable(Outcome::default()) })
        });
        let (ledger, health) = (Arc::new(self.ledger.clone()), self.health.subscribe());
        let parts = Parts { ledger, signer: who, submit, tree: Subtrees::new(), health, tick_every: TICK_EVERY };
        let (notary, proofs) = Notary::new(parts);
        (tokio::spawn(notary.run()), proofs)
    }

    fn told(&self) -> Vec<Input> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

/// Waits until what is signed has this many entries; the clock of the test runs by itself.
async fn signed(shelf: &Shelf<MemoryLedger>, size: u64) -> Arc<Checkpoint> {
    let mut latest = shelf.latest.clone();
    let is_there = |latest: &Option<Arc<Checkpoint>>| latest.as_ref().is_some_and(|checkpoint| checkpoint.size() == size);
    latest.wait_for(is_there).await.unwrap().clone().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_signed_once_a_second_at_most_and_can_be_proven() {
    let house = House::new();
    house.record(300).await;
    let (work, shelf) = house.open(house.signer());
    let first = signed(&shelf, 300).await;
    let began = tokio::time::Instant::now();
    house.record(7).await;
    let second = signed(&shelf, 307).await;
    assert!(began.elapsed() >= APART, "the second one waits");
    let keys = house.told();
    let Some(Input::SignedBy(SignedBy { key, before: None, succeeds: None })) = keys.first() else { panic!("{keys:?}") };
    assert!(keys.contains(&Input::TickOwed { wall_ahead_us: 0 }) && keys.contains(&Input::TroubleCleared(Cause::RecordUnsigned)));
    let keys = [key.parse().unwrap()];
    for index in [0, 255, 256, 306] {
        let proof = TlogProof::open(&shelf.proof(index).await.unwrap(), &keys).unwrap();
        let bytes = shelf.entries(index, 1).await.unwrap();
        assert_eq!(proof.proves(&bytes[0]), Ok(()));
        assert_eq!(proof.checkpoint, *second);
    }
    assert!(matches!(shelf.proof(307).await, Err(NotaryError::Cannot(_))));
    let path = shelf.consistency(300, 307).await.unwrap();
    let path = path.iter().map(|hash| ledger::Digest::from_hex(hash).unwrap()).collect();
    assert_eq!(second.continues(&first, &ConsistencyProof { path }), Ok(()));
    // What is committed last is signed before the end.
    house.record(1).await;
    drop(house.health);
    work.await.unwrap();
    assert_eq!(shelf.latest().unwrap().size(), 308);
}

/// Asked in the first moment after a start, when the last checkpoint is known and the record has not been read again.
#[tokio::test(start_paused = true)]
async fn what_was_signed_before_a_start_is_proven_as_soon_as_the_record_is_read() {
    let house = House::new();
    house.record(300).await;
    let (work, shelf) = house.open(house.signer());
    signed(&shelf, 300).await;
    work.abort();
    assert!(work.await.unwrap_err().is_cancelled());
    let (_work, shelf) = house.open(house.signer());
    let (proof, attested, path) = tokio::join!(shelf.proof(255), shelf.attest(vec![3, 299]), shelf.consistency(256, 300));
    assert_eq!((proof.is_ok(), attested.unwrap().proofs.len(), path.is_ok()), (true, 2, true));
}

#[tokio::test(start_paused = true)]
async fn silence_is_written_down_every_five_minutes() {
    let house = House::new();
    let (_work, _shelf) = house.open(house.signer());
    tokio::time::sleep(TICK_EVERY * 3 + Duration::from_secs(1)).await;
    assert_eq!(house.told().iter().filter(|input| matches!(input, Input::TickOwed { .. })).count(), 4);
}

/// The database of last week with the signer of today: nothing is signed, and everybody is told.
#[tokio::test(start_paused = true)]
async fn a_record_that_was_rolled_back_is_a_trouble_and_is_not_signed() {
    let house = House::new();
    house.record(9).await;
    let (work, shelf) = house.open(house.signer());
    signed(&shelf, 9).await;
    drop(shelf);
    work.abort();
    drop(work.await);
    let restored = House { ledger: MemoryLedger::new(), ..House::new() };
    restored.record(5).await;
    let (_work, shelf) = restored.open(house.signer());
    restored.record_as("b", 1).await;
    while !restored.told().contains(&Input::TroubleNoticed(Cause::RecordUnsigned)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shelf.latest().unwrap().size(), 9, "the last true checkpoint is still shown");
    assert!(shelf.signed().borrow().is_none(), "but is given to nobody as one of this record");
    // A record that has grown past it, differently, is refused as well.
    restored.record_as("b", 10).await;
    tokio::time::sleep(RETRY_EVERY * 3).await;
    assert_eq!(shelf.latest().unwrap().size(), 9);
    assert!(!restored.told().contains(&Input::TroubleCleared(Cause::RecordUnsigned)));
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_cannot_start_is_a_trouble_until_the_next_start() {
    let house = House::new();
    house.record(3).await;
    std::fs::remove_file(house.folder.path().join("checkpoints")).unwrap();
    let (_work, shelf) = house.open(house.signer());
    while !house.told().contains(&Input::TroubleNoticed(Cause::RecordUnsigned)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(shelf.checkpoint().is_none());
    assert!(matches!(shelf.proof(0).await, Err(NotaryError::Unsigned)));
    assert_eq!(shelf.entries(0, 9).await.unwrap().len(), 3, "entries are there without a signature");
}
