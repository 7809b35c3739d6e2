//! What one account took and whose receipt has not been recorded: so that listing knows what to ask after.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use escalation::id::{CarrierName, DispatchId};
use tokio::time::Instant;

use crate::recent::Recent;

/// Messages remembered at most; beyond it the oldest is no longer asked after.
const TAKEN_MAX: usize = 50_000;

/// The messages of one account, by the provider's id.
pub(crate) struct Awaited {
    carrier: CarrierName,
    taken: Mutex<Recent<Sent>>,
    /// How many were asked after so far.
    turn: AtomicUsize,
}

/// A message that the account took.
struct Sent {
    dispatch: DispatchId,
    /// Its final receipt has not been recorded.
    due: bool,
}

impl Awaited {
    pub(crate) fn new(carrier: CarrierName) -> Self {
        Self { carrier, taken: Mutex::new(Recent::new(TAKEN_MAX)), turn: AtomicUsize::new(0) }
    }

    /// The account's name.
    pub(crate) fn carrier(&self) -> &CarrierName {
        &self.carrier
    }

    /// Expects a receipt for a message that the account has.
    pub(crate) fn expect(&self, id: String, dispatch: DispatchId) {
        self.sent().insert(Instant::now(), id, Sent { dispatch, due: true });
    }

    /// The dispatch whose receipt is due under this id.
    pub(crate) fn due(&self, id: &str) -> Option<DispatchId> {
        self.sent().get(id).filter(|sent| sent.due).map(|sent| sent.dispatch.clone())
    }

    /// Whether the account took a message under this id.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.sent().get(id).is_some()
    }

    pub(crate) fn any_due(&self) -> bool {
        self.sent().iter().any(|(_, sent)| sent.due)
    }

    /// The next `most` messages whose receipts are due: each has its turn, however many there are.
    pub(crate) fn next_due(&self, most: usize) -> Vec<(String, DispatchId)> {
        let sent = self.sent();
        let due: Vec<_> = sent.iter().filter(|(_, s)| s.due).map(|(id, s)| (id.to_owned(), s.dispatch.clone())).collect();
        let most = most.min(due.len());
        let from = self.turn.fetch_add(most, Ordering::Relaxed) % due.len().max(1);
        due.iter().cycle().skip(from).take(most).cloned().collect()
    }

    /// The final receipt is recorded.
    pub(crate) fn came(&self, id: &str) {
        if let Some(sent) = self.sent().get_mut(id) {
            sent.due = false;
        }
    }

    /// Whether a message is known to be another dispatch's, which may have had the same words.
    pub(crate) fn is_anothers(&self, id: &str, dispatch: &DispatchId) -> bool {
        self.sent().get(id).is_some_and(|sent| sent.dispatch != *dispatch)
    }

    fn sent(&self) -> MutexGuard<'_, Recent<Sent>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn every_message_has_its_turn_and_a_receipt_ends_it() {
        let awaited = Awaited::new(CarrierName::parse("second").unwrap());
        assert!(awaited.next_due(3).is_empty());
        for n in 1..=7 {
            awaited.expect(format!("m{n}"), format!("KAL-1.{n}").parse().unwrap());
        }
        let asked: BTreeSet<_> = (0..3).flat_map(|_| awaited.next_due(3)).map(|(id, _)| id).collect();
        assert_eq!(asked.len(), 7);
        (1..=6).for_each(|n| awaited.came(&format!("m{n}")));
        let left: Vec<_> = awaited.next_due(3).into_iter().map(|(id, _)| id).collect();
        assert_eq!(left, ["m7"]);
    }
}
