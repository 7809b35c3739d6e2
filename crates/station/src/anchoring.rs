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

/// How long one try may take before it counts as failed: longer than whoever carries it gives it, so that theirs is the reason.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long until an anchor that failed is tried again; doubled with each failure. Long enough for a receiver that restarts. One that
/// is to be asked less often says so.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// And no longer than this: one that is mended is not waited for half a day.
const AGAIN_AT_MOST: Duration = Duration::from_mins(10);
/// Failures in a row that make a trouble: one alone is any receiver's restart. Where the next try is far off, one that would only be
/// the same again is enough.
const TROUBLE_AFTER: u32 = 2;
/// How long until a receipt that the watch did not take is offered again.
const OFFER_AGAIN: Duration = Duration::from_secs(10);

/// A checkpoint on its way to an anchor.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// What it is.
    pub checkpoint: Arc<Checkpoint>,
    /// The public keys of whoever signed it, the current one first.
    pub keys: Vec<VerifyKey>,
    /// When, by the record's time.
    pub at: Timestamp,
}

/// How a parcel leaves: what is known of its having been taken, or why it was not.
pub type Carry = Box<dyn Fn(Parcel) -> Carrying + Send + Sync>;
/// A parcel that is under way.
pub type Carrying = Pin<Box<dyn Future<Output = Result<Receipt, Refusal>> + Send>>;

/// Why a parcel was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In a word or two, for the log.
    pub why: String,
    /// How long whoever refused asks to be left alone; bounded by whoever carries it.
    pub wait: Option<Duration>,
    /// It may have been asked, and have answered what cannot be used. Otherwise nothing of it left.
    pub was_asked: bool,
}

impl Refusal {
    /// It was asked, or may have been.
    pub fn asked(why: impl Into<String>) -> Self {
        Self { why: why.into(), wait: None, was_asked: true }
    }

    /// Nothing left.
    pub fn unasked(why: impl Into<String>) -> Self {
        Self { why: why.into(), wait: None, was_asked: false }
    }
}

/// One anchor, as the settings have it.
pub struct Anchor {
    /// Its name.
    pub name: AnchorName,
    /// What calls for a checkpoint.
    pub when: BTreeSet<Occasion>,
    /// The least time between two.
    pub apart: Duration,
    /// The least time until it is asked again after it was asked in vain; none where it may be tried as soon as any.
    pub again: Duration,
    /// How one leaves.
    pub carry: Carry,
}

/// What the record said of an anchor when the station was started.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What it took last.
    pub last: Option<LastAnchored>,
    /// When the record's last entry was written.
    pub ended: Option<Timestamp>,
    /// It is in trouble: whatever it waits for, it is tried at once, or nobody would know that it is mended.
    pub in_trouble: bool,
}

/// What every anchor needs of the house.
#[derive(Clone)]
pub struct Parts {
    /// What is signed of the record as it is now.
    pub signed: watch::Receiver<Option<Arc<Checkpoint>>>,
    /// The public keys, the current one first.
    pub keys: Vec<VerifyKey>,
    /// How far the record is.
    pub health: watch::Receiver<Health>,
    /// The way to the watch.
    pub submit: Submit,
}

/// Gives checkpoints to an anchor until the notary has ended.
pub fn start(anchor: Anchor, parts: Parts, past: Past) -> JoinHandle<()> {
    let Past { last, ended, in_trouble } = past;
    let pause = match (&last, ended) {
        (Some(last), Some(ended)) if !in_trouble => anchor.apart.saturating_sub(between(last.at, ended)),
        (Some(_) | None, Some(_) | None) => Duration::ZERO,
    };
    tokio::spawn(Post { anchor, parts, last, in_trouble }.run(pause))
}

/// The way to one anchor.
struct Post {
    anchor: Anchor,
    parts: Parts,
    last: Option<LastAnchored>,
    in_trouble: bool,
}

/// The notary has ended.
struct Over;

impl Post {
    async fn run(mut self, mut pause: Duration) {
        let mut failures = 0;
        while let Ok(parcel) = self.next(pause).await {
            let Err(refusal) = self.give(parcel).await else {
                (failures, pause) = (0, self.anchor.apart);
                continue;
            };
            failures = (failures + 1).min(16);
            // Whoever is to be asked seldom is in trouble at once: nobody would know of it until they are asked again.
            let again = if refusal.was_asked { self.anchor.again } else { Duration::ZERO };
            if failures >= TROUBLE_AFTER || !again.is_zero() {
                self.in_trouble = true;
                let cause = Cause::AnchorFailing { anchor: self.anchor.name.clone() };
                drop((self.parts.submit)(Input::TroubleNoticed(cause)).await);
            }
            pause = again_after(failures).max(again).max(refusal.wait.unwrap_or_default());
        }
    }

    /// Waits out the pause, and then until a checkpoint is owed.
    async fn next(&mut self, pause: Duration) -> Result<Parcel, Over> {
        let mut ending = self.parts.signed.clone();
        tokio::select! {
            _ = ending.wait_for(|_| false) => return Err(Over),
            () = tokio::time::sleep(pause) => {}
        }
        loop {
            let signed = self.parts.signed.borrow_and_update().clone();
            let (started, milestones, at) = {
                let health = self.parts.health.borrow();
                (health.started, health.milestones, health.last_at)
            };
            if let Some(checkpoint) = signed
                && started
                && (self.in_trouble || is_owed(&self.anchor.when, self.last.as_ref(), &checkpoint, milestones, at))
            {
                return Ok(Parcel { checkpoint, keys: self.parts.keys.clone(), at });
            }
            // Every entry is followed by a checkpoint, and a tick is written every few minutes: a new day is noticed by them.
            self.parts.signed.changed().await.map_err(|_ended| Over)?;
        }
    }

    /// Gives one away, once.
    async fn give(&mut self, parcel: Parcel) -> Result<(), Refusal> {
        let Parcel { checkpoint, at, .. } = parcel.clone();
        let (name, size) = (self.anchor.name.clone(), checkpoint.size());
        let carried = tokio::time::timeout(PATIENCE, (self.anchor.carry)(parcel)).await;
        match carried.unwrap_or_else(|_elapsed| Err(Refusal::asked("no answer"))) {
            Ok(receipt) => {
                tracing::info!(anchor = %name, size, "a checkpoint was taken outside");
                let (origin, root) = (checkpoint.origin().to_string(), Digest::new(*checkpoint.root().digest().as_bytes()));
                self.record(Anchored { anchor: name, origin: origin.clone(), size, root, receipt }).await;
                self.last = Some(LastAnchored { origin, size, at });
                self.in_trouble = false;
                Ok(())
            }
            Err(refusal) => {
                let why = &refusal.why;
                tracing::warn!(anchor = %name, size, %why, "a checkpoint was not taken; it is tried again, and alarms are not affected");
                Err(refusal)
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
}

/// Whether an anchor is owed this checkpoint. Time is the record's own on both sides, which never goes back: a wall clock that was
/// wrong for an hour must not silence an anchor for years.
fn is_owed(when: &BTreeSet<Occasion>, last: Option<&LastAnchored>, checkpoint: &Checkpoint, milestones: Milestones, at: Timestamp) -> bool {
    // Under another name sizes begin anew.
    let had = last.filter(|last| last.origin == checkpoint.origin().as_str()).map_or(0, |last| last.size);
    let size = checkpoint.size();
    when.iter().any(|occasion| match occasion {
        Occasion::Change => milestones.change > had && size > had,
        Occasion::Closing => milestones.closing > had && size >= milestones.closing,
        Occasion::Daily => last.is_none_or(|last| day(at) > day(last.at)),
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

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(millis_between(from, to))
}

#[cfg(test)]
mod tests;
