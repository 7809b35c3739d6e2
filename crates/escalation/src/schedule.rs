//! Schedules: on which days and at which hour drills begin by themselves, and what became of the last ones.
//!
//! The calendar is pure: a schedule has one [`Occasion`] at each of its sites on each of its days, and nothing but the directory says
//! when. A time that the clock on the wall skips is the moment of the skip, and of one that it shows twice the first counts, as a
//! duty begins (see [`crate::roster`]). What was held and what was missed is kept by the `Timetable`.

mod repeat;
mod steps;
mod timetable;

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

pub use self::repeat::{NotARepeat, Repeat};
pub(crate) use self::timetable::{ANSWERED_FOR, Timetable};
pub use self::timetable::{Former, Held, Missed, Outcome, Place, Tally};
use crate::id::{CustomerId, DeviceName, SiteId};
use crate::time::{Seconds, SignedDuration, Timestamp};
use crate::zone::Zone;

/// No drill begins by itself before this time of the clock on the wall: from then on people are told of what can wait.
pub const DAY_BEGINS: Time = Time::constant(7, 0, 0, 0);
/// Nor after this: an hour, which is the longest that a drill lasts, before they no longer are.
pub const DAY_ENDS: Time = Time::constant(20, 0, 0, 0);
/// Two drills of a customer's schedules begin at least so far apart, however many there are (ours): a phone shows one message after the
/// other.
pub const APART_MIN: Seconds = Seconds(5);
/// So many days are looked through for the next one of a schedule: more than lie between a month's fourth Tuesday and the next one's.
const LOOK_AHEAD: u16 = 42;

/// One `[[drill]]` of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whose all of its sites are.
    pub customer: CustomerId,
    /// Where.
    pub sites: BTreeSet<SiteId>,
    /// The ladder of which button there; the site's own where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// On which days.
    pub on: Repeat,
    /// When the first of its sites is drilled, by the clock on each site's wall.
    pub at: Time,
    /// In how long the drills of all of its sites begin, one after the other.
    pub window_s: Seconds,
}

/// One drill that is to be held at one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The day, by the clock on the wall there. It names the occasion: nothing is held twice on one day.
    pub day: Date,
    /// When the window opens.
    pub opens: Timestamp,
    /// When it is this site's turn.
    pub turn: Timestamp,
    /// From when on it is too late.
    pub closes: Timestamp,
}

impl Schedule {
    /// Which of its sites this is, in the order in which they are drilled.
    pub fn place_of(&self, site: &SiteId) -> Option<usize> {
        self.sites.iter().position(|known| known == site)
    }

    /// The occasion of a day at the site of that place; `None` where the schedule has none on that day.
    pub fn on_day(&self, place: usize, zone: &Zone, day: Date) -> Option<Occasion> {
        if !self.on.is_on(day) {
            return None;
        }
        let opens = zone.first(day.to_datetime(self.at));
        Some(Occasion { day, opens, turn: self.behind(opens, place), closes: self.window_s.after(opens) })
    }

    /// When the next drill may begin after one that was due or, where it was late, began at this time: what is late is held as far
    /// apart as what is not.
    pub(crate) fn next_after(&self, begun: Timestamp) -> Timestamp {
        self.behind(begun, 1).max(APART_MIN.after(begun))
    }

    /// So many turns after a time, of those into which the window is divided.
    fn behind(&self, at: Timestamp, turns: usize) -> Timestamp {
        let window_ms = u64::from(self.window_s.0).saturating_mul(1_000);
        let count = u64::try_from(self.sites.len().max(1)).unwrap_or(u64::MAX);
        let behind_ms = u64::try_from(turns).unwrap_or(u64::MAX).saturating_mul(window_ms) / count;
        let behind = SignedDuration::from_millis(i64::try_from(behind_ms).unwrap_or(i64::MAX));
        at.saturating_add(behind).unwrap_or(at)
    }

    /// The first occasion there that is on a day after `settled` and opens no earlier than `from`.
    pub fn next(&self, place: usize, zone: &Zone, from: Timestamp, settled: Option<Date>) -> Option<Occasion> {
        let today = zone.wall(from).date();
        let first = settled.and_then(|day| day.tomorrow().ok()).map_or(today, |day| day.max(today));
        let days = (0..=LOOK_AHEAD).filter_map(|ahead| first.checked_add(i64::from(ahead).days()).ok());
        days.filter_map(|day| self.on_day(place, zone, day)).find(|occasion| occasion.opens >= from)
    }
}
