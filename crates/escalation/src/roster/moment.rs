//! An instant under question, and the nearest edge at which an answer about it could change.

use jiff::civil::{Date, DateTime};

use crate::time::Timestamp;
use crate::zone::Zone;

/// Asks about one instant, and remembers the first edge after it.
pub(super) struct Moment<'z> {
    zone: &'z Zone,
    at: Timestamp,
    next: Option<Timestamp>,
}

impl<'z> Moment<'z> {
    pub(super) fn new(zone: &'z Zone, at: Timestamp) -> Self {
        Self { zone, at, next: None }
    }

    /// What the clock on the wall shows.
    pub(super) fn wall(&self) -> DateTime {
        self.zone.wall(self.at)
    }

    /// Whether a duty from `from` to `until` is on: from the first occurrence to the last, open where nothing is said.
    pub(super) fn within(&mut self, from: Option<DateTime>, until: Option<DateTime>) -> bool {
        let begun = from.is_none_or(|from| self.reached(self.zone.first(from)));
        let over = until.is_some_and(|until| self.reached(self.zone.last(until)));
        begun && !over
    }

    /// Whether an absence is on: from the last occurrence to the first.
    pub(super) fn surely_within(&mut self, from: DateTime, until: DateTime) -> bool {
        let begun = self.reached(self.zone.last(from));
        let over = self.reached(self.zone.first(until));
        begun && !over
    }

    /// Whether it lies between two instants, the second of which is no part of it.
    pub(super) fn between(&mut self, from: Timestamp, until: Timestamp) -> bool {
        let begun = self.reached(from);
        let over = self.reached(until);
        begun && !over
    }

    /// Says that the answer may be another from the beginning of `date` on.
    pub(super) fn ask_again(&mut self, date: Date) {
        let midnight = self.zone.midnight(date);
        self.reached(midnight);
    }

    /// Whether an edge is known that comes no later than the beginning of `date`.
    pub(super) fn changes_before(&self, date: Date) -> bool {
        self.next.is_some_and(|next| next <= self.zone.midnight(date))
    }

    /// The first edge after the instant.
    pub(super) fn next_edge(&self) -> Option<Timestamp> {
        self.next
    }

    fn reached(&mut self, edge: Timestamp) -> bool {
        if edge > self.at && self.next.is_none_or(|next| edge < next) {
            self.next = Some(edge);
        }
        edge <= self.at
    }
}
