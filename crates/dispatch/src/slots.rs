//! Who may send now and who waits: the slots of one channel's accounts and the queue in front of them.
//!
//! Slots are per account, so that an account that hangs fills only its own. Of two that wait the one of the newer
//! activation goes first, then the older of the same. What can wait leaves slots free for a call that comes meanwhile. Pure data:
//! it starts nothing and knows no clock.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How recent the message about a trouble is: less than anything.
const TROUBLE: u64 = 0;
/// How recent every message of a drill is: less than any call.
const DRILL: u64 = 1;

/// Accounts with free slots, and what waits for one. `T` is what waits.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    lanes: Vec<Lane<T>>,
    /// Waits for whichever account is free first.
    anywhere: BinaryHeap<Waiting<T>>,
    counter: u64,
}

#[derive(Debug)]
struct Lane<T> {
    slots: usize,
    free: usize,
    /// Waits for this account and no other.
    bound: BinaryHeap<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    recency: u64,
    turn: u64,
    what: T,
}

impl<T> Slots<T> {
    /// One lane per account with its number of slots, in order of preference.
    pub(crate) fn new(slots: impl IntoIterator<Item = usize>) -> Self {
        let lane = |slots| Lane { slots, free: slots, bound: BinaryHeap::new() };
        Self { lanes: slots.into_iter().map(lane).collect(), anywhere: BinaryHeap::new(), counter: 0 }
    }

    /// Takes a slot on the first account of `order` that has one and gives `what` back with the account's index, or queues it.
    pub(crate) fn enter(&mut self, order: &[usize], recency: u64, what: T) -> Option<(usize, T)> {
        if let Some(index) = order.iter().copied().find(|index| self.take(*index, recency)) {
            return Some((index, what));
        }
        let waiting = self.ticket(recency, what);
        self.anywhere.push(waiting);
        None
    }

    /// Takes a slot of one account, where one is free for something as recent.
    pub(crate) fn take(&mut self, index: usize, recency: u64) -> bool {
        match self.lanes.get_mut(index) {
            Some(lane) if lane.free > lane.kept_from(recency) => {
                lane.free -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    /// The same on one account only.
    pub(crate) fn enter_on(&mut self, index: usize, recency: u64, what: T) -> Option<T> {
        let waiting = self.ticket(recency, what);
        match self.lanes.get_mut(index) {
            Some(lane) if lane.free > lane.kept_from(recency) => {
                lane.free -= 1;
                Some(waiting.what)
            }
            Some(lane) => {
                lane.bound.push(waiting);
                None
            }
            None => {
                self.anywhere.push(waiting);
                None
            }
        }
    }

    /// Gives a slot to whoever is next for it, or back where nobody waits. An account that is `bound_only` gets nothing of what
    /// waits for any.
    pub(crate) fn leave(&mut self, index: usize, bound_only: bool) -> Option<T> {
        let lane = self.lanes.get_mut(index)?;
        let bound_first = match (lane.bound.peek(), self.anywhere.peek()) {
            (Some(bound), Some(any)) => bound_only || bound > any,
            (Some(_), None) => true,
            (None, _) => bound_only,
        };
        let waiting = if bound_first { lane.bound.peek() } else { self.anywhere.peek() };
        let is_kept = waiting.is_some_and(|waiting| lane.free < lane.kept_from(waiting.recency));
        if is_kept {
            lane.free += 1;
            return None;
        }
        let next = if bound_first { lane.bound.pop() } else { self.anywhere.pop() };
        if next.is_none() {
            lane.free += 1;
        }
        next.map(|waiting| waiting.what)
    }

    /// What waits for any account and can go out by one of `order` now, with that account's index.
    pub(crate) fn pull(&mut self, order: &[usize]) -> Option<(usize, T)> {
        let recency = self.anywhere.peek()?.recency;
        let index = order.iter().copied().find(|index| self.take(*index, recency))?;
        self.anywhere.pop().map(|waiting| (index, waiting.what))
    }

    /// Forgets everything that waits; what is under way keeps its slots.
    pub(crate) fn clear(&mut self) -> usize {
        let bound: usize = self.lanes.iter().map(|l| l.bound.len()).sum();
        let dropped = bound + self.anywhere.len();
        self.lanes.iter_mut().for_each(|l| l.bound.clear());
        self.anywhere.clear();
        dropped
    }

    fn ticket(&mut self, recency: u64, what: T) -> Waiting<T> {
        self.counter += 1;
        Waiting { recency, turn: self.counter, what }
    }
}

impl<T> Lane<T> {
    /// How many slots are kept free of something as recent: a drill leaves one, and the message about a trouble goes out only while
    /// seven eighths of the account are free. An account with one slot keeps none: nothing that can wait would ever go out by it.
    fn kept_from(&self, recency: u64) -> usize {
        match recency {
            TROUBLE => self.slots.saturating_sub((self.slots / 8).max(1)),
            DRILL => usize::from(self.slots > 1),
            _of_a_call => 0,
        }
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let newer = self.recency.cmp(&other.recency);
        newer.then_with(|| other.turn.cmp(&self.turn))
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Waiting<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_activation_goes_first_and_within_it_the_oldest_message() {
        let mut slots = Slots::new([1]);
        assert_eq!(slots.enter(&[0], 1, "under way"), Some((0, "under way")));
        for (recency, name) in [(1, "old"), (3, "new a"), (2, "middle"), (3, "new b")] {
            assert_eq!(slots.enter(&[0], recency, name), None);
        }
        let order: Vec<_> = std::iter::from_fn(|| slots.leave(0, false)).collect();
        assert_eq!(order, ["new a", "new b", "middle", "old"]);
        assert_eq!(slots.enter(&[0], 1, "next"), Some((0, "next")), "the slot came back");
    }

    #[test]
    fn a_full_account_does_not_hold_up_the_next() {
        let mut slots = Slots::new([2, 1]);
        let lanes: Vec<_> = (0..3).filter_map(|n| slots.enter(&[0, 1], 2 + n, n)).map(|(lane, _)| lane).collect();
        assert_eq!(lanes, [0, 0, 1]);
        assert_eq!(slots.enter(&[0, 1], 9, 9), None);
        assert_eq!(slots.enter_on(0, 5, 5), None);
        assert_eq!(slots.leave(1, false), Some(9), "the second account takes what waits anywhere");
        assert_eq!(slots.leave(1, false), None, "but not what waits for the first");
        assert_eq!(slots.leave(0, false), Some(5));
    }

    #[test]
    fn what_may_go_anywhere_does_not_go_by_an_account_that_is_passed_over() {
        let mut slots = Slots::new([1, 1]);
        assert_eq!(slots.enter(&[1], 1, "good"), Some((1, "good")));
        assert_eq!(slots.enter(&[1], 1, "waits"), None, "though the first has a slot");
        assert_eq!(slots.enter_on(0, 1, "tries"), Some("tries"));
        assert_eq!(slots.enter_on(0, 1, "bound"), None);
        assert_eq!(slots.leave(0, true), Some("bound"));
        assert_eq!(slots.leave(0, true), None);
        assert_eq!(slots.pull(&[1]), None);
        assert_eq!(slots.pull(&[0, 1]), Some((0, "waits")), "once it is well again");
        assert_eq!(slots.pull(&[0, 1]), None);
    }

    #[test]
    fn what_can_wait_leaves_a_slot_for_a_call_and_goes_once_there_is_room() {
        let mut slots = Slots::new([2]);
        assert_eq!(slots.enter(&[0], TROUBLE, "trouble"), Some((0, "trouble")));
        assert_eq!(slots.enter(&[0], TROUBLE, "another"), None, "the last slot is kept");
        assert_eq!(slots.enter(&[0], 7, "call"), Some((0, "call")));
        assert_eq!(slots.enter_on(0, TROUBLE, "a third"), None);
        assert_eq!(slots.leave(0, false), None, "a slot is kept, also from what waits");
        assert_eq!(slots.pull(&[0]), None);
        assert_eq!(slots.leave(0, false), Some("another"), "nothing is under way: one of them goes");
        assert_eq!(slots.enter(&[0], 8, "call"), Some((0, "call")));
        assert_eq!(slots.leave(0, false), None);
        assert_eq!(slots.leave(0, false), Some("a third"), "nothing is left behind");
        let mut many = Slots::new([16]);
        assert_eq!((0..16).filter(|_| many.enter(&[0], TROUBLE, "trouble").is_some()).count(), 2, "an eighth of them");
        assert_eq!(many.enter(&[0], DRILL, "a drill"), Some((0, "a drill")), "which goes as a call does, but for one slot");
        assert_eq!(many.leave(0, false), None, "what waits does so until seven eighths are free");
        let mut one = Slots::new([1]);
        assert_eq!(one.enter(&[0], TROUBLE, "trouble"), Some((0, "trouble")), "an account with one slot keeps none");
    }
}
