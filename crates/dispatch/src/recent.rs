//! A bounded memory of what came by lately: at most so many, for at most a day.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// How long something is remembered: reply codes are not used again within a day.
const DAY: Duration = Duration::from_hours(24);

/// Remembers `V` by name. Beyond `most` the oldest is forgotten first.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    by_name: HashMap<String, V>,
    order: VecDeque<(Instant, String)>,
    most: usize,
}

impl<V> Recent<V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { by_name: HashMap::new(), order: VecDeque::new(), most }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.by_name.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.by_name.get_mut(name)
    }

    /// Remembers, over what was remembered by that name.
    pub(crate) fn insert(&mut self, now: Instant, name: String, value: V) {
        self.forget_old(now);
        if self.by_name.insert(name.clone(), value).is_none() {
            self.order.push_back((now, name));
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front() {
            if self.order.len() < self.most && now.saturating_duration_since(*at) < DAY {
                return;
            }
            if let Some((_, name)) = self.order.pop_front() {
                self.by_name.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_is_forgotten_first_and_everything_after_a_day() {
        let now = Instant::now();
        let mut recent = Recent::new(3);
        for n in 0..4 {
            recent.insert(now, format!("m{n}"), n);
        }
        assert_eq!((recent.get("m0"), recent.get("m1"), recent.get("m3")), (None, Some(&1), Some(&3)));
        recent.insert(now + DAY, "next day".to_owned(), 9);
        assert_eq!((recent.get("m3"), recent.get("next day")), (None, Some(&9)));
    }
}
