//! Counts failures per key in a window of time, in bounded memory. It never refuses what succeeds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many keys are counted one by one. Beyond it the rest share one count: an address more is never memory more.
const KEYS_MAX: usize = 4_096;

/// How often something may go wrong for one key (a peer, a link) within a window.
pub(crate) struct Limiter<K> {
    most: u32,
    window: Duration,
    counts: Mutex<Counts<K>>,
}

struct Counts<K> {
    since: Instant,
    each: BTreeMap<K, u32>,
    rest: u32,
}

impl<K: Ord> Limiter<K> {
    /// At most `most` failures in each `window`.
    pub(crate) fn new(most: u32, window: Duration) -> Self {
        let counts = Counts { since: Instant::now(), each: BTreeMap::new(), rest: 0 };
        Self { most, window, counts: Mutex::new(counts) }
    }

    /// Counts one failure and says whether it was one too many.
    pub(crate) fn strike(&self, key: K) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.elapsed() >= self.window {
            counts.since = Instant::now();
            counts.each.clear();
            counts.rest = 0;
        }
        let full = counts.each.len() >= KEYS_MAX && !counts.each.contains_key(&key);
        let count = if full { &mut counts.rest } else { counts.each.entry(key).or_insert(0) };
        *count = count.saturating_add(1);
        *count > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_said_and_forgotten_with_the_window() {
        let limiter = Limiter::new(2, Duration::from_mins(1));
        assert_eq!([1, 1, 1, 2].map(|k| limiter.strike(k)), [false, false, true, false]);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!limiter.strike(1));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_strangers_share_a_count() {
        let limiter = Limiter::new(5, Duration::from_mins(1));
        let over = (0..100_000).filter(|k| limiter.strike(*k)).count();
        assert_eq!(over, 100_000 - KEYS_MAX - 5);
        assert!(limiter.counts.lock().unwrap().each.len() <= KEYS_MAX);
    }
}
