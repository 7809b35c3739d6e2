//! Things remembered for a while, so that the same thing twice is known for what it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::{Seconds, Timestamp};

/// Ids of presses, idempotency keys and provider references are remembered this long (interfaces; mechanisms: 24 h).
const REMEMBERED: Seconds = Seconds(86_400);

/// What is remembered, each for a day from when it was first seen; the oldest is forgotten first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered<K: Ord, V> {
    values: BTreeMap<K, (Timestamp, V)>,
    until: BTreeSet<(Timestamp, K)>,
}

impl<K: Ord, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), until: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V> Remembered<K, V> {
    /// What is known of `key`, unless its day is over.
    pub(crate) fn get(&self, now: Timestamp, key: &K) -> Option<&V> {
        self.values.get(key).filter(|(until, _)| now < *until).map(|(_, value)| value)
    }

    /// Remembers `key`. A value that is there already is replaced; its day does not begin anew.
    pub(crate) fn insert(&mut self, at: Timestamp, key: K, value: V) {
        while let Some((until, _)) = self.until.first()
            && *until <= at
        {
            if let Some((_, old)) = self.until.pop_first() {
                self.values.remove(&old);
            }
        }
        let until = self.values.get(&key).map_or(REMEMBERED.after(at), |(until, _)| *until);
        self.until.insert((until, key.clone()));
        self.values.insert(key, (until, value));
    }
}
