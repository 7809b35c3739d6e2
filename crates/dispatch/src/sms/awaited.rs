//! What one account took and whose receipt has not been recorded: so that listing knows what to ask after.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Mutex, MutexGuard, PoisonError};

use escalation::id::{CarrierName, DispatchId};
use tokio::time::Instant;

use crate::recent::Recent;

/// Messages remembered at most; beyond it the oldest is no longer asked after.
const TAKEN_MAX: usize = 50_000;

/// The messages of one account, by the provider's id.
pub(crate) struct Awaited {
    carrier: CarrierName,
    taken: Mutex<Taken>,
}

struct Taken {
    by_id: Recent<Sent>,
    /// Those whose final receipt has not been recorded, in the order in which they were sent.
    due: BTreeMap<u64, String>,
    places: u64,
    /// The place that was asked after last.
    asked: u64,
}

/// A message that the account took.
struct Sent {
    dispatch: DispatchId,
    /// Where it stands among those that are due.
    place: u64,
}

impl Awaited {
    pub(crate) fn new(carrier: CarrierName) -> Self {
        Self { carrier, taken: Mutex::new(Taken { by_id: Recent::new(TAKEN_MAX), due: BTreeMap::new(), places: 0, asked: 0 }) }
    }

    /// The account's name.
    pub(crate) fn carrier(&self) -> &CarrierName {
        &self.carrier
    }

    /// Expects a receipt for a message that the account has.
    pub(crate) fn expect(&self, id: String, dispatch: DispatchId) {
        let mut taken = self.taken();
        let taken = &mut *taken;
        if let Some(before) = taken.by_id.get(&id) {
            taken.due.remove(&before.place);
        }
        taken.places += 1;
        taken.due.insert(taken.places, id.clone());
        taken.by_id.insert(Instant::now(), id, Sent { dispatch, place: taken.places });
        // What is remembered no longer is asked after no longer: the oldest goes first in both.
        while let Some(oldest) = taken.due.first_entry()
            && taken.by_id.get(oldest.get()).is_none()
        {
            oldest.remove();
        }
    }

    /// The dispatch whose receipt is due under this id.
    pub(crate) fn due(&self, id: &str) -> Option<DispatchId> {
        let taken = self.taken();
        let sent = taken.by_id.get(id)?;
        taken.due.contains_key(&sent.place).then(|| sent.dispatch.clone())
    }

    /// Whether the account took a message under this id.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.taken().by_id.get(id).is_some()
    }

    pub(crate) fn any_due(&self) -> bool {
        !self.taken().due.is_empty()
    }

    /// The next `most` messages whose receipts are due, behind the one that was asked after last: each has its turn, however
    /// many there are, and whatever is recorded or sent meanwhile.
    pub(crate) fn next_due(&self, most: usize) -> Vec<(String, DispatchId)> {
        let taken = self.taken();
        let behind = taken.due.range((Excluded(taken.asked), Unbounded));
        let again = taken.due.range(..=taken.asked);
        let known = |(_, id): (&u64, &String)| Some((id.clone(), taken.by_id.get(id)?.dispatch.clone()));
        behind.chain(again).filter_map(known).take(most).collect()
    }

    /// This one was asked after, whatever came of it.
    pub(crate) fn asked(&self, id: &str) {
        let mut taken = self.taken();
        if let Some(place) = taken.by_id.get(id).map(|sent| sent.place) {
            taken.asked = place;
        }
    }

    /// The final receipt is recorded.
    pub(crate) fn came(&self, id: &str) {
        let mut taken = self.taken();
        if let Some(place) = taken.by_id.get(id).map(|sent| sent.place) {
            taken.due.remove(&place);
        }
    }

    /// Whether a message is known to be another dispatch's, which may have had the same words.
    pub(crate) fn is_anothers(&self, id: &str, dispatch: &DispatchId) -> bool {
        self.taken().by_id.get(id).is_some_and(|sent| sent.dispatch != *dispatch)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn awaited(count: u32) -> Awaited {
        let awaited = Awaited::new(CarrierName::parse("second").unwrap());
        for n in 1..=count {
            awaited.expect(format!("m{n}"), format!("KAL-1.{n}").parse().unwrap());
        }
        awaited
    }

    /// One turn: everything that is next is asked after.
    fn ask(awaited: &Awaited, most: usize) -> Vec<String> {
        let ids: Vec<_> = awaited.next_due(most).into_iter().map(|(id, _)| id).collect();
        for id in &ids {
            awaited.asked(id);
        }
        ids
    }

    #[tokio::test]
    async fn every_message_has_its_turn_and_a_receipt_ends_it() {
        assert!(awaited(0).next_due(3).is_empty());
        let awaited = awaited(7);
        let asked: BTreeSet<_> = (0..3).flat_map(|_| ask(&awaited, 3)).collect();
        assert_eq!(asked.len(), 7);
        (1..=6).for_each(|n| awaited.came(&format!("m{n}")));
        assert_eq!((ask(&awaited, 3), awaited.any_due()), (vec!["m7".to_owned()], true));
        awaited.came("m7");
        assert!(!awaited.any_due() && awaited.knows("m7") && awaited.due("m7").is_none());
    }

    #[tokio::test]
    async fn receipts_that_come_meanwhile_cost_nobody_a_turn() {
        let awaited = awaited(6);
        assert_eq!(ask(&awaited, 2), ["m1", "m2"]);
        awaited.came("m1");
        awaited.expect("m7".to_owned(), "KAL-1.7".parse().unwrap());
        assert_eq!(ask(&awaited, 2), ["m3", "m4"]);
        // A turn that ended early asked after one of its two.
        assert_eq!(awaited.next_due(2).len(), 2);
        awaited.asked("m5");
        assert_eq!(ask(&awaited, 9), ["m6", "m7", "m2", "m3", "m4", "m5"]);
    }

    #[tokio::test]
    async fn what_is_forgotten_is_asked_after_no_longer() {
        let most = u32::try_from(TAKEN_MAX).unwrap();
        let awaited = awaited(most + 3);
        assert_eq!(awaited.next_due(1).remove(0).0, "m4");
        assert!(awaited.due("m3").is_none() && awaited.any_due());
    }
}
