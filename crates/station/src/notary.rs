//! The notary: has the record signed after the fact, and proves things from it. Never on the way of an alarm.
//!
//! A task of its own. It reads leaf hashes of what is committed, so a checkpoint is never ahead of durable rows; it signs at
//! most once a second; and every few minutes it asks the watch for a tick, so that silence can be shown to have been silence.
//! A signer that fails or refuses is a trouble, and nothing else stops.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use escalation::input::{Input, SignedBy};
use escalation::trouble::Cause;
use escalation::verdict::Submit;
use ledger::{
    BLOCK, Blocks, CannotProve, Checkpoint, ConsistencyProof, KeyFileError, Ledger, ReadError, Seq, Signer, SignerError, Subtrees,
    TlogProof, VerifyKey,
};
use tokio::sync::{RwLock, watch};
use tokio::task::JoinError;

use crate::desk::Health;
use crate::failpoint;

/// The least time between two checkpoints (record format: at most one a second).
const APART: Duration = Duration::from_secs(1);
/// How long until a signer that failed, or a record that did not answer, is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(10);
/// How often the watch is asked for a tick (record format: 5 minutes).
pub const TICK_EVERY: Duration = Duration::from_mins(5);
/// How long a checkpoint is waited for that covers what was recorded a moment ago: a few of those pauses.
const ATTEST_WITHIN: Duration = Duration::from_secs(15);
/// Leaf hashes read at once.
const PAGE: u32 = 4_096;
const BLOCK_LEN: u32 = 256;

/// What a notary is made of.
pub struct Parts<L> {
    /// The record.
    pub ledger: Arc<L>,
    /// Who signs, or why nobody does.
    pub signer: Result<Signer, NotaryError>,
    /// The way to the watch.
    pub submit: Submit,
    /// What a replay has read of it.
    pub tree: Subtrees,
    /// How far the record is.
    pub health: watch::Receiver<Health>,
    /// How often a tick is asked for.
    pub tick_every: Duration,
}

/// The record as those see it who verify it: entries, checkpoints and proofs.
pub struct Shelf<L> {
    ledger: Arc<L>,
    tree: Arc<RwLock<Subtrees>>,
    latest: watch::Receiver<Option<Arc<Checkpoint>>>,
    current: watch::Receiver<Option<Arc<Checkpoint>>>,
    keys: Vec<VerifyKey>,
    /// The file of all that was signed; `None` where nobody signs.
    memory: Option<PathBuf>,
}

/// What vouches for some entries: one checkpoint, every key that signs, and a proof of each entry.
#[derive(Clone, Debug)]
pub struct Attested {
    /// What the proofs lead to.
    pub checkpoint: Checkpoint,
    /// The public keys, the current one first.
    pub keys: Vec<VerifyKey>,
    /// A proof of each, in the order asked.
    pub proofs: Vec<TlogProof>,
}

/// The one who has the record signed.
pub struct Notary<L> {
    ledger: Arc<L>,
    /// Away while it signs.
    signer: Option<Signer>,
    unsigned: Option<NotaryError>,
    submit: Submit,
    health: watch::Receiver<Health>,
    tick_every: Duration,
    tree: Arc<RwLock<Subtrees>>,
    latest: watch::Sender<Option<Arc<Checkpoint>>>,
    /// What this run has signed, while it can: what was signed before may be of a record that is no longer there.
    current: watch::Sender<Option<Arc<Checkpoint>>>,
    in_trouble: Option<bool>,
}

/// Something could not be signed or proven.
#[derive(Debug, thiserror::Error)]
pub enum NotaryError {
    /// The record was not to be read.
    #[error(transparent)]
    Record(#[from] ReadError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The signer refused, or could not.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// It was restored, and what was signed after the copy is not known.
    #[error(
        "this record was restored from a backup, and what was signed after the copy was taken is not known: nothing is signed under this name any more; begin the one that follows with  cooee record recover"
    )]
    Restored,
    /// There is no such proof.
    #[error(transparent)]
    Cannot(#[from] CannotProve),
    /// The signer's task has died.
    #[error("the signer has died; a restart brings it back")]
    Died(#[source] JoinError),
    /// Nothing is signed yet, or nobody signs.
    #[error("there is no checkpoint of this record yet; it is signed where a key was made with  cooee record new")]
    Unsigned,
    /// The latest checkpoint ends before what was asked.
    #[error("the record is not signed that far, though it should be by now; /readyz?verbose says why")]
    Behind,
}

impl<L: Ledger> Notary<L> {
    /// A notary and what others see of it.
    pub fn new(parts: Parts<L>) -> (Self, Shelf<L>) {
        let Parts { ledger, signer, submit, tree, health, tick_every } = parts;
        let tree = Arc::new(RwLock::new(tree));
        let (signer, unsigned) = match signer {
            Ok(signer) => (Some(signer), None),
            Err(why) => (None, Some(why)),
        };
        let last = signer.as_ref().and_then(Signer::last).cloned().map(Arc::new);
        let (latest, latest_out) = watch::channel(last);
        let (current, current_out) = watch::channel(None);
        let keys = signer.as_ref().map(Signer::keys).unwrap_or_default();
        let memory = signer.as_ref().map(|signer| signer.memory().to_owned());
        let shelf = Shelf { ledger: Arc::clone(&ledger), tree: Arc::clone(&tree), latest: latest_out, current: current_out, keys, memory };
        let notary = Self { ledger, signer, unsigned, submit, health, tick_every, tree, latest, current, in_trouble: None };
        (notary, shelf)
    }

    /// Works until the watch has ended. What is committed by then is signed.
    pub async fn run(mut self) {
        self.introduce().await;
        let mut ticks = tokio::time::interval(self.tick_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pause = Duration::ZERO;
        loop {
            let mut health = self.health.clone();
            tokio::select! {
                biased;
                // The first is now: a start says how the station is.
                _ = ticks.tick() => drop((self.submit)(Input::TickOwed { wall_ahead_us: 0 }).await),
                goes_on = grown(&mut health, pause, self.in_trouble == Some(true)) => if !goes_on { break },
            }
            self.health.mark_unchanged();
            pause = if self.work().await { APART } else { RETRY_EVERY };
        }
        self.work().await;
    }

    /// Which keys sign from here on becomes part of what they sign.
    async fn introduce(&self) {
        let Some(signer) = &self.signer else { return };
        let mut keys = signer.keys().into_iter().map(|key| key.to_string());
        let Some(key) = keys.next() else { return };
        let said = SignedBy { key, before: keys.next(), succeeds: signer.succeeds().map(ToString::to_string) };
        drop((self.submit)(Input::SignedBy(said)).await);
    }

    /// One checkpoint over what is committed; whether all is well.
    async fn work(&mut self) -> bool {
        let done = match self.sign().await {
            Ok(()) => true,
            Err(why) => {
                self.current.send_replace(None);
                if self.in_trouble != Some(true) {
                    tracing::error!(error = %why, "the record is not signed from here on; alarms are not affected");
                }
                false
            }
        };
        if self.in_trouble != Some(!done) {
            self.in_trouble = Some(!done);
            let input = if done { Input::TroubleCleared(Cause::RecordUnsigned) } else { Input::TroubleNoticed(Cause::RecordUnsigned) };
            drop((self.submit)(input).await);
        }
        done
    }

    async fn sign(&mut self) -> Result<(), NotaryError> {
        self.read_on().await?;
        if let Some(why) = self.unsigned.take() {
            return Err(why);
        }
        let Some(mut signer) = self.signer.take() else { return Err(NotaryError::Unsigned) };
        let tree = self.tree.read().await;
        let older = signer.last().map_or(0, Checkpoint::size);
        let proof = match consistency(&*self.ledger, &tree, older, tree.size()).await {
            Ok(proof) => proof,
            // The record is shorter than what was signed: the signer says so in its own words.
            Err(NotaryError::Cannot(_)) => ConsistencyProof::default(),
            Err(other) => {
                self.signer = Some(signer);
                return Err(other);
            }
        };
        let head = tree.head();
        drop(tree);
        failpoint::reached(failpoint::BEFORE_SIGNING);
        let (signer, answer) = tokio::task::spawn_blocking(move || {
            let answer = signer.sign(head, &proof);
            (signer, answer)
        })
        .await
        .map_err(NotaryError::Died)?;
        self.signer = Some(signer);
        let checkpoint = answer?;
        failpoint::reached(failpoint::AFTER_SIGNING);
        let checkpoint = Some(Arc::new(checkpoint));
        self.current.send_replace(checkpoint.clone());
        self.latest.send_replace(checkpoint);
        Ok(())
    }

    /// Takes up the leaves that were committed since.
    async fn read_on(&self) -> Result<(), ReadError> {
        loop {
            let from = Seq::new(self.tree.read().await.size());
            let leaves = self.ledger.leaves(from, PAGE).await?;
            if leaves.is_empty() {
                return Ok(());
            }
            self.tree.write().await.extend(leaves);
        }
    }
}

/// Waits until there is something to do after the pause; `false` once the watch has ended. What failed is tried again unasked.
async fn grown(health: &mut watch::Receiver<Health>, pause: Duration, again: bool) -> bool {
    let mut ending = health.clone();
    tokio::select! {
        _ = ending.wait_for(|_| false) => return false,
        () = tokio::time::sleep(pause) => {}
    }
    again || health.changed().await.is_ok()
}

/// What a verifier may ask for. Behind it is a [`Shelf`], whichever record it is of.
pub trait Proofs: Send + Sync {
    /// The latest checkpoint; `None` while nothing is signed.
    fn checkpoint(&self) -> Option<String>;
    /// At most `limit` entries from `from` on, each exactly as it was hashed; empty where its bytes are gone.
    fn entries(&self, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>>;
    /// That one entry is in the record of the latest checkpoint, as a tlog-proof file.
    fn proof(&self, index: u64) -> Answer<'_, String>;
    /// One checkpoint that covers all these places, and a proof of each. Waits a while for the signer.
    fn attest(&self, places: Vec<u64>) -> Answer<'_, Attested>;
    /// That the record of `newer` entries begins with that of `older`: hashes in hex.
    fn consistency(&self, older: u64, newer: u64) -> Answer<'_, Vec<String>>;
    /// The checkpoints of these sizes that are still known and that each key of today vouches for, whichever a verifier has.
    fn notes(&self, sizes: BTreeSet<u64>) -> Answer<'_, Notes>;
}

/// Checkpoints as they were given away.
pub type Notes = Vec<Checkpoint>;
/// An answer that takes a moment.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotaryError>> + Send + 'a>>;

impl<L> Shelf<L> {
    /// Of a record that nobody signs.
    pub fn unsigned(ledger: Arc<L>) -> Self {
        let (_, latest) = watch::channel(None);
        Self { ledger, tree: Arc::default(), current: latest.clone(), latest, keys: Vec::new(), memory: None }
    }

    /// What is signed of the record as it is now, and each that follows; `None` before the first of this run, and while signing
    /// fails or is refused.
    pub fn signed(&self) -> watch::Receiver<Option<Arc<Checkpoint>>> {
        self.current.clone()
    }

    /// The public keys, the current one first.
    pub fn keys(&self) -> &[VerifyKey] {
        &self.keys
    }

    /// The latest checkpoint, once it covers the entry at this place.
    async fn covering(&self, place: u64) -> Result<Arc<Checkpoint>, NotaryError> {
        let mut latest = self.latest.clone();
        let covers = latest.wait_for(|latest| latest.as_ref().is_some_and(|latest| latest.size() > place));
        // Nobody signs any more, or not in time: either way there is no more than there is.
        drop(tokio::time::timeout(ATTEST_WITHIN, covers).await);
        let latest = self.provable().await?;
        if latest.size() > place { Ok(latest) } else { Err(NotaryError::Behind) }
    }

    /// The latest checkpoint, once the tree that things are proven from reaches it: after a start it is known before the record has
    /// been read again.
    async fn provable(&self) -> Result<Arc<Checkpoint>, NotaryError> {
        let latest = self.latest()?;
        let mut current = self.current.clone();
        let reaches = async {
            // Whatever comes of signing, the record was read before.
            while self.tree.read().await.size() < latest.size() {
                current.changed().await?;
            }
            Ok::<_, watch::error::RecvError>(())
        };
        match tokio::time::timeout(ATTEST_WITHIN, reaches).await {
            Ok(Ok(())) => Ok(latest),
            // The record ends before what was signed of it, or nobody reads it any more.
            Ok(Err(_)) | Err(_) => Err(NotaryError::Behind),
        }
    }

    fn latest(&self) -> Result<Arc<Checkpoint>, NotaryError> {
        self.latest.borrow().clone().ok_or(NotaryError::Unsigned)
    }
}

impl<L: Ledger> Proofs for Shelf<L> {
    fn checkpoint(&self) -> Option<String> {
        self.latest.borrow().as_ref().map(ToString::to_string)
    }

    fn entries(&self, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            let entries = self.ledger.entries(Seq::new(from), limit).await?;
            Ok(entries.into_iter().map(|entry| entry.body.map(|body| body.bytes().to_vec()).unwrap_or_default()).collect())
        })
    }

    fn proof(&self, index: u64) -> Answer<'_, String> {
        Box::pin(async move {
            let checkpoint = self.provable().await?;
            let tree = self.tree.read().await;
            let blocks = blocks(&*self.ledger, &tree, &[index, checkpoint.size()]).await?;
            let path = tree.inclusion(index, checkpoint.size(), &blocks)?;
            Ok(TlogProof { index, path, checkpoint: checkpoint.as_ref().clone() }.to_string())
        })
    }

    fn attest(&self, places: Vec<u64>) -> Answer<'_, Attested> {
        Box::pin(async move {
            let checkpoint = self.covering(places.iter().max().copied().unwrap_or_default()).await?.as_ref().clone();
            let tree = self.tree.read().await;
            let size = checkpoint.size();
            let needed: Vec<u64> = places.iter().copied().chain([size]).collect();
            let blocks = blocks(&*self.ledger, &tree, &needed).await?;
            let prove = |index: u64| {
                let path = tree.inclusion(index, size, &blocks)?;
                Ok::<_, NotaryError>(TlogProof { index, path, checkpoint: checkpoint.clone() })
            };
            let proofs = places.into_iter().map(prove).collect::<Result<_, _>>()?;
            Ok(Attested { keys: self.keys.clone(), proofs, checkpoint })
        })
    }

    fn consistency(&self, older: u64, newer: u64) -> Answer<'_, Vec<String>> {
        Box::pin(async move {
            self.provable().await?;
            let tree = self.tree.read().await;
            let proof = consistency(&*self.ledger, &tree, older, newer).await?;
            Ok(proof.path.iter().map(ToString::to_string).collect())
        })
    }

    fn notes(&self, sizes: BTreeSet<u64>) -> Answer<'_, Notes> {
        let (memory, keys) = (self.memory.clone(), self.keys.clone());
        Box::pin(async move {
            let Some(memory) = memory.filter(|_| !sizes.is_empty()) else { return Ok(Vec::new()) };
            tokio::task::spawn_blocking(move || ledger::given_away(&memory, &sizes, &keys)).await.map_err(NotaryError::Died)
        })
    }
}

async fn consistency<L: Ledger>(ledger: &L, tree: &Subtrees, older: u64, newer: u64) -> Result<ConsistencyProof, NotaryError> {
    let blocks = blocks(ledger, tree, &[older, newer]).await?;
    Ok(tree.consistency(older, newer, &blocks)?)
}

/// Reads the leaf hashes that proofs for these places and sizes need.
async fn blocks<L: Ledger>(ledger: &L, tree: &Subtrees, places: &[u64]) -> Result<Blocks, ReadError> {
    let mut blocks = Blocks::default();
    for block in tree.needed(places) {
        blocks.insert(block, ledger.leaves(Seq::new(block * BLOCK), BLOCK_LEN).await?);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests;
