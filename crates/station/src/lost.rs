//! What waits for a record that cannot be reached.
//!
//! Batches wait in order, in the spool and, the first of them, in memory too; verdicts that mean the record wait with them.
//! It decides nothing and asks the record nothing: `run` does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use escalation::input::Input;
use escalation::verdict::{NotTaken, Verdict};
use ledger::{AppendError, Batch};
use tokio::task::JoinHandle;

use crate::desk::INPUTS_MAX;
use crate::failpoint;
use crate::floor::{Feedback, Holds, Ticket};
use crate::spool::{Place, Spool, SpoolError};

/// How many batches that the spool has are held in memory as well. Overflow rule: the rest is read back from the spool when
/// its turn comes. What not even the spool took is held in memory alone, however much it is: nobody else has it.
const IN_MEMORY_MAX: usize = 256;

/// How many verdicts may wait for the record, and how many words for devices. Overflow rule: a press beyond it is acted on as
/// the others and not confirmed, so that whoever sent it keeps it; a device beyond it is told at its next press.
const WITHHELD_MAX: usize = INPUTS_MAX;

/// A lost record, and what waits for it.
pub(crate) struct Lost {
    pending: VecDeque<Pending>,
    /// How many verdicts, and how many words for devices, wait with them.
    withheld: (usize, usize),
    /// The try that is under way; its end wakes the watch.
    pub(crate) attempt: Option<JoinHandle<Option<AppendError>>>,
    /// When the next one is due, by the monotonic clock.
    pub(crate) next_try: Duration,
    /// The spool has failed since the record was lost: what was decided then may be known to nobody after a crash.
    unkept: bool,
    /// The rules have been told that.
    told_unkept: bool,
}

/// One turn that waits.
pub(crate) struct Pending {
    /// `None` where the spool alone has it.
    batch: Option<Arc<Batch>>,
    /// `None` where the spool lacks it.
    place: Option<Place>,
    /// What may be said only once the record has it.
    pub(crate) withheld: Vec<(Ticket, Verdict)>,
    /// The same, for devices.
    pub(crate) feedback: Vec<Feedback>,
}

impl Lost {
    /// Nothing waits yet.
    pub(crate) fn new(attempt: Option<JoinHandle<Option<AppendError>>>, next_try: Duration) -> Self {
        Self { pending: VecDeque::new(), withheld: (0, 0), attempt, next_try, unkept: false, told_unkept: false }
    }

    /// What the rules should hear now: that the record is lost, and once more when the spool is as well. They have heard
    /// of a loss already where `heard` says so. A spool that was put aside (`kept`) may hold references that the record knows
    /// nothing of, so that those of this loss must lie apart from all that were counted.
    pub(crate) fn news(&mut self, heard: bool, kept: impl FnOnce() -> bool) -> Option<Input> {
        let is_new = !heard || (self.unkept && !self.told_unkept);
        self.told_unkept = self.unkept;
        is_new.then(|| Input::RecordLost { spooled: !self.unkept && !kept() })
    }

    /// Whether neither the record nor the spool has the latest of what waits.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.pending.back().is_some_and(|waiting| waiting.place.is_none())
    }

    /// How many batches wait.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.pending.len()).unwrap_or(u64::MAX)
    }

    /// Takes out of a turn's verdicts those that mean the record, for [`Self::put`].
    pub(crate) fn withhold(&self, verdicts: &mut Vec<(Ticket, Verdict, Holds)>) -> Vec<(Ticket, Verdict)> {
        let room = WITHHELD_MAX.saturating_sub(self.withheld.0);
        let mut withheld = Vec::new();
        verdicts.retain_mut(|(ticket, verdict, holds)| {
            if *holds != Holds::Record || !matches!(verdict, Verdict::Durable(_)) {
                return true;
            }
            if withheld.len() >= room {
                *verdict = Verdict::NotTaken(NotTaken::Unrecorded);
                return true;
            }
            withheld.push((*ticket, verdict.clone()));
            false
        });
        withheld
    }

    /// A turn waits behind all others. One that wrote nothing leans on those before it and waits with the last of them.
    pub(crate) fn put(&mut self, batch: Arc<Batch>, withheld: Vec<(Ticket, Verdict)>, mut feedback: Vec<Feedback>) {
        feedback.truncate(WITHHELD_MAX.saturating_sub(self.withheld.1));
        self.withheld.0 += withheld.len();
        self.withheld.1 += feedback.len();
        match self.pending.back_mut() {
            Some(last) if batch.is_empty() => {
                last.withheld.extend(withheld);
                last.feedback.extend(feedback);
            }
            Some(_) | None => self.pending.push_back(Pending { batch: Some(batch), place: None, withheld, feedback }),
        }
    }

    /// Spools what is not spooled yet, in order: a spool with a gap could not be given to the record. Says whether the spool
    /// has everything now.
    pub(crate) fn spool(&mut self, spool: &mut Spool) -> bool {
        let spooled = self.pending.partition_point(|waiting| waiting.place.is_some());
        for (index, waiting) in self.pending.iter_mut().enumerate().skip(spooled) {
            let Some(batch) = &waiting.batch else { continue };
            match spool.append(batch) {
                Ok(place) => waiting.place = Some(place),
                Err(error) => {
                    tracing::error!(error = %error, "the spool failed as well; messages leave without code and link");
                    self.unkept = true;
                    return false;
                }
            }
            failpoint::reached(failpoint::MID_SPOOL);
            if index >= IN_MEMORY_MAX {
                waiting.batch = None;
            }
        }
        true
    }

    /// The batch that the record must get next, from memory or from the spool; `None` where nothing waits.
    pub(crate) fn next(&self, spool: &Spool) -> Result<Option<Arc<Batch>>, SpoolError> {
        match self.pending.front() {
            Some(Pending { batch: Some(batch), .. }) => Ok(Some(Arc::clone(batch))),
            Some(Pending { batch: None, place: Some(place), .. }) => spool.read_back(*place).map(|batch| Some(Arc::new(batch))),
            Some(Pending { batch: None, place: None, .. }) | None => Ok(None),
        }
    }

    /// The record has the oldest: what waited for it.
    pub(crate) fn done(&mut self) -> Option<Pending> {
        let done = self.pending.pop_front()?;
        self.withheld.0 -= done.withheld.len();
        self.withheld.1 -= done.feedback.len();
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use ledger::{EntryBody, Seq};

    use super::*;

    fn batch(n: u64) -> Arc<Batch> {
        let body = format!(r#"{{"n":{n},"t":"2026-11-21T02:14:31.038251Z","type":"note.added","v":1}}"#);
        let mut batch = Batch::new(Seq::new(n));
        batch.push(EntryBody::parse(body.as_bytes()).unwrap(), Vec::new());
        Arc::new(batch)
    }

    #[test]
    fn beside_a_spool_that_was_put_aside_no_reference_is_counted() {
        let told = |kept: bool| Lost::new(None, Duration::ZERO).news(false, || kept);
        assert!(matches!(told(false), Some(Input::RecordLost { spooled: true })));
        assert!(matches!(told(true), Some(Input::RecordLost { spooled: false })), "it may hold references of an earlier loss");
    }

    #[test]
    fn a_press_too_many_is_not_confirmed_and_costs_no_memory() {
        let durable =
            |n: usize, holds| (Ticket(u64::try_from(n).unwrap()), Verdict::Durable(escalation::verdict::Outcome::default()), holds);
        let mut lost = Lost::new(None, Duration::ZERO);
        let mut verdicts: Vec<_> = (0..WITHHELD_MAX).map(|n| durable(n, Holds::Record)).collect();
        let withheld = lost.withhold(&mut verdicts);
        assert_eq!((withheld.len(), verdicts.len()), (WITHHELD_MAX, 0));
        lost.put(batch(0), withheld, Vec::new());
        let mut verdicts = vec![durable(0, Holds::Record), durable(1, Holds::Spool)];
        assert!(lost.withhold(&mut verdicts).is_empty());
        assert_eq!(verdicts[0].1, Verdict::NotTaken(NotTaken::Unrecorded), "its sender keeps it");
        assert!(matches!(verdicts[1].1, Verdict::Durable(_)));
        lost.done().unwrap();
        assert_eq!(lost.withhold(&mut vec![durable(0, Holds::Record)]).len(), 1);
    }

    #[test]
    fn a_long_outage_is_held_by_the_spool_and_not_by_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::in_dir(folder.path());
        let mut lost = Lost::new(None, Duration::ZERO);
        let all = u64::try_from(IN_MEMORY_MAX).unwrap() + 10;
        for n in 0..all {
            lost.put(batch(n), Vec::new(), Vec::new());
            assert!(lost.spool(&mut spool));
        }
        assert_eq!(lost.pending.iter().filter(|waiting| waiting.batch.is_some()).count(), IN_MEMORY_MAX);
        for n in 0..all {
            assert_eq!(lost.next(&spool).unwrap().unwrap(), batch(n), "in order, from wherever it is");
            lost.done().unwrap();
        }
        assert_eq!(lost.next(&spool).unwrap(), None);
    }

    #[test]
    fn what_the_spool_did_not_take_stays_in_memory_and_is_spooled_once_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        let mut spool = Spool::in_dir(folder.path());
        let mut lost = Lost::new(None, Duration::ZERO);
        let all = u64::try_from(IN_MEMORY_MAX).unwrap() + 10;
        for n in 0..all {
            lost.put(batch(n), Vec::new(), Vec::new());
            assert!(!lost.spool(&mut spool));
        }
        assert!(lost.unkept);
        assert!(lost.pending.iter().all(|waiting| waiting.batch.is_some()));
        std::fs::remove_dir(folder.path().join("spool")).unwrap();
        assert!(lost.spool(&mut spool));
        assert_eq!(spool.read().unwrap().len(), IN_MEMORY_MAX + 10);
    }
}
