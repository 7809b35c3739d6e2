//! A clock on a wall, and whose public holidays count where it hangs.

use serde::{Deserialize, Serialize};

use super::Rosters;
use super::hours::Hours;
use super::moment::Moment;
use crate::id::CalendarId;
use crate::time::Timestamp;
use crate::zone::Zone;

/// By what a site's hours are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    /// Whose time it shows.
    pub zone: Zone,
    /// Whose public holidays count there; none where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

impl Rosters {
    /// Whether hours are on at `at` by a clock on a wall, and until when that answer holds at least; `None`: for good.
    /// They begin when that clock first shows their time and end when it last does, as a duty does.
    pub(crate) fn are_on(&self, hours: &Hours, clock: &WallClock, at: Timestamp) -> (bool, Option<Timestamp>) {
        let mut moment = Moment::new(&clock.zone, at);
        let calendar = clock.calendar.as_ref().and_then(|id| self.calendars.get(id));
        let on = hours.are_on(&mut moment, calendar);
        (on, moment.next_edge())
    }
}
