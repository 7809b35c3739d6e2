//! Things remembered for a while, so that the same thing twice is known for what it is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::time::{Seconds, Timestamp};

/// What a day is, seconds.
const DAY_S: u32 = 86_400;

/// So many of one sort are remembered at most; beyond, the oldest is forgotten before its time is over. Said again, it then counts
/// as new: a press joins its device's open call or raises one, which is never less than it should be.
const REMEMBERED_MAX: usize = 100_000;

/// What is remembered, each for so many `DAYS` from when it was first seen; the oldest is forgotten first. Ids of presses and
/// idempotency keys are remembered for one (interfaces; mechanisms: 24 h).
///
/// Recorded time only grows, so the order of arrival is the order of forgetting; each key is held once, by both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered<K: Ord, V, const DAYS: u32 = 1> {
    values: BTreeMap<Arc<K>, (Timestamp, V)>,
    /// The same keys in the order in which they will be forgotten.
    order: VecDeque<(Timestamp, Arc<K>)>,
}

impl<K: Ord, V, const DAYS: u32> Default for Remembered<K, V, DAYS> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<K: Ord, V, const DAYS: u32> Remembered<K, V, DAYS> {
    const SPAN: Seconds = Seconds(DAY_S.saturating_mul(DAYS));

    /// What is known of `key`, unless its time is over.
    pub(crate) fn get(&self, now: Timestamp, key: &K) -> Option<&V> {
        self.values.get(key).filter(|(until, _)| now < *until).map(|(_, value)| value)
    }

    /// Remembers `key`. A value that is there already is replaced; its time does not begin anew.
    pub(crate) fn insert(&mut self, at: Timestamp, key: K, value: V) {
        while let Some((_, old)) = self.order.pop_front_if(|(until, _)| *until <= at) {
            self.values.remove(&old);
        }
        if let Some((_, known)) = self.values.get_mut(&key) {
            *known = value;
            return;
        }
        if self.order.len() >= REMEMBERED_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
        let (key, until) = (Arc::new(key), Self::SPAN.after(at));
        self.order.push_back((until, Arc::clone(&key)));
        self.values.insert(key, (until, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_in_time_and_in_number() {
        let (began, mut remembered) = (Timestamp::UNIX_EPOCH, Remembered::<usize, ()>::default());
        for key in 0..=REMEMBERED_MAX {
            remembered.insert(began, key, ());
        }
        assert_eq!((remembered.values.len(), remembered.order.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert_eq!((remembered.get(began, &0), remembered.get(began, &1)), (None, Some(&())));
        remembered.insert(Seconds(DAY_S).after(began), 0, ());
        assert_eq!((remembered.values.len(), remembered.order.len()), (1, 1));
    }
}
