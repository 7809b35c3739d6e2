//! Who is due when: the next deadline of all, and of everything that is due the newest activation.
//!
//! After an outage thousands are due at once and the fresh ones go first. Looking for the newest among all of them at
//! every step would cost the square of their number; so whatever has come due is kept by age beside.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ActivationId;
use crate::time::{SignedDuration, Timestamp};

/// One place in the queue of those that are due: by when it was raised, then by its reference.
type Place = (Timestamp, ActivationId);

/// Every activation's next deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agenda {
    /// All deadlines in order, each with the time its activation was raised. An id is always there; `None` sorts before all.
    deadlines: BTreeMap<(Timestamp, Option<ActivationId>), Timestamp>,
    /// Those of them that had come due by `now`.
    due: BTreeSet<Place>,
    now: Timestamp,
}

impl Default for Agenda {
    fn default() -> Self {
        Self { deadlines: BTreeMap::new(), due: BTreeSet::new(), now: Timestamp::MIN }
    }
}

impl Agenda {
    /// Time has come this far: what falls due by it joins the queue of those that are.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if now > self.now {
            let fresh: Vec<Place> = self.fresh(now).map(|(raised, id)| (raised, id.clone())).collect();
            self.due.extend(fresh);
            self.now = now;
        }
    }

    /// An activation's deadline came up (`from` is `None`), has moved, or is gone (`to` is `None`).
    pub(crate) fn moved(&mut self, id: &ActivationId, raised: Timestamp, from: Option<Timestamp>, to: Option<Timestamp>) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            self.deadlines.remove(&(from, Some(id.clone())));
            self.due.remove(&(raised, id.clone()));
        }
        if let Some(to) = to {
            self.deadlines.insert((to, Some(id.clone())), raised);
            if to <= self.now {
                self.due.insert((raised, id.clone()));
            }
        }
    }

    /// The next deadline of all, and whose.
    pub(crate) fn first(&self) -> Option<(Timestamp, &ActivationId)> {
        let ((at, id), _) = self.deadlines.first_key_value()?;
        Some((*at, id.as_ref()?))
    }

    /// Of the activations that are due by `now`, the newest. Looks at what fell due since time was last advanced: every deadline is
    /// looked at once, because the event that comes of it advances time; what was due before waits in its queue.
    pub(crate) fn newest_due(&self, now: Timestamp) -> Option<&ActivationId> {
        let waiting = self.due.last().map(|(raised, id)| (*raised, id));
        self.fresh(now).chain(waiting).max().map(|(_, id)| id)
    }

    /// What falls due after the time that has been and up to `now`.
    fn fresh(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, &ActivationId)> {
        let just_after = self.now.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
        let fresh = self.deadlines.range((just_after, None)..).take_while(move |((at, _), _)| *at <= now);
        fresh.filter_map(|((_, id), raised)| id.as_ref().map(|id| (*raised, id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn act(number: u32) -> ActivationId {
        ActivationId { prefix: "KAL".parse().unwrap(), series: 0, number }
    }

    /// However many are due at once, only the first look at them is long.
    #[test]
    fn what_has_come_due_is_looked_at_once() {
        let mut agenda = Agenda::default();
        for n in 1..=4_096_u32 {
            agenda.moved(&act(n), at(n.into()), None, Some(at(5_000)));
        }
        assert_eq!(agenda.fresh(at(6_000)).count(), 4_096);
        for left in (1..=4_096_u32).rev() {
            let newest = agenda.newest_due(at(6_000)).cloned().unwrap();
            assert_eq!(newest, act(left));
            agenda.advance(at(6_000));
            assert_eq!(agenda.fresh(at(6_000)).count(), 0);
            agenda.moved(&newest, at(left.into()), Some(at(5_000)), Some(at(9_000)));
        }
    }

    #[test]
    fn the_newest_of_those_that_are_due_goes_first() {
        let mut agenda = Agenda::default();
        for n in 1..=3_u32 {
            agenda.moved(&act(n), at(n.into()), None, Some(at(100 - i64::from(n))));
        }
        assert_eq!(agenda.first(), Some((at(97), &act(3))));
        assert_eq!(agenda.newest_due(at(96)), None);
        assert_eq!(agenda.newest_due(at(200)), Some(&act(3)));
        agenda.advance(at(200));
        assert_eq!(agenda.newest_due(at(200)), Some(&act(3)));
        agenda.moved(&act(3), at(3), Some(at(97)), Some(at(300)));
        assert_eq!(agenda.newest_due(at(200)), Some(&act(2)));
        agenda.moved(&act(2), at(2), Some(at(98)), None);
        agenda.moved(&act(1), at(1), Some(at(99)), Some(at(150)));
        assert_eq!(agenda.newest_due(at(200)), Some(&act(1)), "moved, but to a time that is past as well");
        assert_eq!(agenda.newest_due(at(300)), Some(&act(3)));
    }
}
