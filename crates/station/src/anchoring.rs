//! Anchoring: checkpoints leave for places outside of the operator's control. Never on the way of an alarm.
//!
//! Each anchor is a task of its own with one checkpoint in hand: what is signed meanwhile waits in no queue, the newest goes next.
//! It reads what is signed and asks the watch for nothing, so that an anchor that is slow or gone holds up nobody; what it took is
//! recorded, and one that does not take is a trouble. What is owed is told by the record alone, so that a restart repeats nothing.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use escalation::anchor::{Anchored, LastAnchored, Occasion, Receipt};
use escalation::id::{AnchorName, Digest};
use escalation::input::Input;
use escalation::time::{SignedDuration, Timestamp, millis_between};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Submit, Verdict};
use ledger::{Checkpoint, VerifyKey};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::desk::Health;
use crate::milestones::Milestones;

/// How long one try may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long until an anchor that failed is tried again; doubled with each failure.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// And no longer than this.
const AGAIN_AT_MOST: Duration = Duration::from_mins(10);
/// How long until a receipt that the watch did not take is offered again.
const OFFER_AGAIN: Duration = Duration::from_secs(10);

/// A checkpoint on its way to an anchor.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// What it is.
    pub checkpoint: Arc<Checkpoint>,
    /// The public keys of whoever signed it, the current one first.
    pub keys: Vec<VerifyKey>,
    /// Why it is sent now.
    pub occasion: Occasion,
    /// When.
    pub at: Timestamp,
}

/// How a parcel leaves: what is known of its having been taken, or in a word why it was not.
pub type Carry = Box<dyn Fn(Parcel) -> Carrying + Send + Sync>;
/// A parcel that is under way.
pub type Carrying = Pin<Box<dyn Future<Output = Result<Receipt, String>> + Send>>;

/// One anchor, as the settings have it.
pub struct Anchor {
    /// Its name.
    pub name: AnchorName,
    /// What calls for a checkpoint.
    pub when: BTreeSet<Occasion>,
    /// The least time between two.
    pub apart: Duration,
    /// How one leaves.
    pub carry: Carry,
}

/// What every anchor needs of the house.
#[derive(Clone)]
pub struct Parts {
    /// What is signed.
    pub latest: watch::Receiver<Option<Arc<Checkpoint>>>,
    /// The public keys, the current one first.
    pub keys: Vec<VerifyKey>,
    /// How far the record is.
    pub health: watch::Receiver<Health>,
    /// The way to the watch.
    pub submit: Submit,
    /// What the wall clock says: for the day.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Gives checkpoints to an anchor until the notary has ended. `last` is what the record says that it took before.
pub fn start(anchor: Anchor, parts: Parts, last: Option<LastAnchored>) -> JoinHandle<()> {
    tokio::spawn(Post { anchor, parts, last }.run())
}

/// Nothing is signed, so that no anchor gets anything: better said than believed.
pub async fn nothing_to_give(anchors: impl IntoIterator<Item = AnchorName>, submit: &Submit) {
    for anchor in anchors {
        tracing::error!(%anchor, "an anchor is in the settings, but the record is not signed; make a key with  cooee record new");
        drop(submit(Input::TroubleNoticed(Cause::AnchorFailing { anchor })).await);
    }
}

/// Anchors that are no longer in the settings are nobody's trouble.
pub async fn forget(gone: impl IntoIterator<Item = AnchorName>, submit: &Submit) {
    for anchor in gone {
        drop(submit(Input::TroubleCleared(Cause::AnchorFailing { anchor })).await);
    }
}

/// The way to one anchor.
struct Post {
    anchor: Anchor,
    parts: Parts,
    last: Option<LastAnchored>,
}

/// The notary has ended.
struct Over;

impl Post {
    async fn run(mut self) {
        let mut pause = self.last.map_or(Duration::ZERO, |last| self.anchor.apart.saturating_sub(self.since(last.at)));
        let mut failures = 0;
        while let Ok(parcel) = self.next(pause).await {
            pause = if self.give(parcel).await {
                failures = 0;
                self.anchor.apart
            } else {
                failures = (failures + 1).min(16);
                again_after(failures).max(self.anchor.apart)
            };
        }
    }

    /// Waits out the pause, and then until a checkpoint is owed.
    async fn next(&mut self, pause: Duration) -> Result<Parcel, Over> {
        let mut ending = self.parts.latest.clone();
        tokio::select! {
            _ = ending.wait_for(|_| false) => return Err(Over),
            () = tokio::time::sleep(pause) => {}
        }
        loop {
            let now = (self.parts.now)();
            let latest = self.parts.latest.borrow_and_update().clone();
            let milestones = self.parts.health.borrow().milestones;
            if let Some(checkpoint) = latest
                && let Some(occasion) = owed(&self.anchor.when, self.last, checkpoint.size(), milestones, now)
            {
                return Ok(Parcel { checkpoint, keys: self.parts.keys.clone(), occasion, at: now });
            }
            tokio::select! {
                changed = self.parts.latest.changed() => changed.map_err(|_ended| Over)?,
                () = tokio::time::sleep(until_next_day(now)) => {}
            }
        }
    }

    /// Gives one away, once; whether it was taken.
    async fn give(&mut self, parcel: Parcel) -> bool {
        let name = &self.anchor.name;
        let (size, root) = (parcel.checkpoint.size(), parcel.checkpoint.root());
        let carried = tokio::time::timeout(PATIENCE, (self.anchor.carry)(parcel)).await;
        match carried.unwrap_or_else(|_elapsed| Err("no answer".to_owned())) {
            Ok(receipt) => {
                tracing::info!(anchor = %name, size, "a checkpoint was taken outside");
                let root = Digest::new(*root.digest().as_bytes());
                self.record(Anchored { anchor: name.clone(), size, root, receipt }).await;
                self.last = Some(LastAnchored { size, at: (self.parts.now)() });
                true
            }
            Err(why) => {
                tracing::warn!(anchor = %name, size, %why, "a checkpoint was not taken; it is tried again, and alarms are not affected");
                drop((self.parts.submit)(Input::TroubleNoticed(Cause::AnchorFailing { anchor: name.clone() })).await);
                false
            }
        }
    }

    /// Offers a receipt until it is taken: one that nobody recorded would be asked for again by the next start.
    async fn record(&self, anchored: Anchored) {
        loop {
            match (self.parts.submit)(Input::CheckpointAnchored(anchored.clone())).await {
                Verdict::Durable(_) | Verdict::NotTaken(NotTaken::Stopping) => return,
                Verdict::Refused(why) => return tracing::error!(%why, "the rules refused a receipt"),
                Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => tokio::time::sleep(OFFER_AGAIN).await,
            }
        }
    }

    fn since(&self, at: Timestamp) -> Duration {
        Duration::from_millis(millis_between(at, (self.parts.now)()))
    }
}

/// Why an anchor is owed a checkpoint of this size, if it is.
fn owed(when: &BTreeSet<Occasion>, last: Option<LastAnchored>, size: u64, milestones: Milestones, now: Timestamp) -> Option<Occasion> {
    let had = last.map_or(0, |last| last.size);
    when.iter().copied().find(|occasion| match occasion {
        Occasion::Change => milestones.change > had && size > had,
        Occasion::Closing => milestones.closing > had && size >= milestones.closing,
        Occasion::Daily => last.is_none_or(|last| day(now) > day(last.at)),
    })
}

/// How long to wait after so many failures.
fn again_after(failures: u32) -> Duration {
    AGAIN_AFTER.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(AGAIN_AT_MOST)
}

/// Days since 1970, by UTC.
fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SignedDuration::from_hours(24).as_secs())
}

fn until_next_day(now: Timestamp) -> Duration {
    let length = SignedDuration::from_hours(24).as_secs();
    Duration::from_secs(u64::try_from(length - now.as_second().rem_euclid(length)).unwrap_or_default())
}

#[cfg(test)]
mod tests;
