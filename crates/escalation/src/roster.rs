//! Rosters: who is on duty at an instant, and until when that answer holds.
//!
//! One pure function, [`Rosters::on_duty`], is asked by the climb when a rung is entered and by the proof in advance, so
//! that the two cannot differ. It knows no ladder and tells nobody anything.
//!
//! # The rules
//! - Times are those of a clock on the wall in the roster's zone. **A duty begins when that clock first shows its time, and
//!   ends when it last does.** Where a clock is put back, two may be on duty for an hour; nobody ever is for none.
//!   A time that the clock skips is the moment of the skip.
//! - A leave is the other way round, because it takes somebody away: from the last occurrence to the first.
//! - A shift of several people has all of them on duty, or, with a [`Turn`], one after the other. Whose turn it is while on
//!   leave is stood in for by the next of the list who is not.
//! - An [`Override`] puts its people in the place of everybody; of two, the later in the file holds. Then each [`Swap`], in
//!   the order of the file, puts one person in the place of another. Both name people on purpose: a leave does not undo them.
//! - Last comes each [`StandIn`] that counts, in the order in which they were said, where whoever stands in is not on duty anyway:
//!   in the place of the other, or beside them. Those are instants, which no clock on a wall shows twice.

mod change;
mod clock;
mod holiday;
mod hours;
mod moment;
mod shift;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use change::{Counting, How, Leave, Override, StandIn, Swap};
pub use clock::WallClock;
pub use holiday::{Calendar, NotAState, PartOf, SHIPPED_YEARS, State};
pub use hours::{Hours, NotAWindow, OnHolidays, Window};
pub use shift::{Shift, Turn};

use crate::id::{CalendarId, PersonId, RosterId};
use crate::time::Timestamp;
use crate::zone::Zone;
use moment::Moment;

/// Everything that decides who is on duty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rosters {
    /// Rosters by id.
    pub rosters: BTreeMap<RosterId, Roster>,
    /// Calendars of public holidays by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// Who is away when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leave: BTreeMap<PersonId, Vec<Leave>>,
}

/// One roster: shifts, and what was changed of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Whose clock on the wall its times are read from.
    pub zone: Zone,
    /// Whose public holidays its hours mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Who is on duty as a rule: everybody of every shift that is on.
    pub shifts: Vec<Shift>,
    /// Times at which certain people stand in for everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Times at which one person stands in for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swaps: Vec<Swap>,
    /// Who stands in for whom by hand: no part of a directory, but of what was said since.
    #[serde(skip)]
    pub stand_ins: Vec<Counting>,
}

/// Who is on duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Each once, in the order of the shifts. Empty is an answer too: nobody.
    pub people: Vec<PersonId>,
    /// The answer holds until then at least; `None`: for good.
    pub until: Option<Timestamp>,
}

impl Roster {
    /// Everybody who may ever be on duty, some of them more than once.
    pub fn people(&self) -> impl Iterator<Item = PersonId> + '_ {
        let shifts = self.shifts.iter().flat_map(|shift| &shift.people);
        let overrides = self.overrides.iter().flat_map(|change| &change.people);
        let instead = self.swaps.iter().map(|swap| &swap.on).chain(self.stand_ins.iter().map(|counting| &counting.stand_in.on));
        shifts.chain(overrides).chain(instead).copied()
    }
}

impl Rosters {
    /// Who of a roster is on duty at `at`; `None` where there is no such roster.
    pub fn on_duty(&self, roster: &RosterId, at: Timestamp) -> Option<Duty> {
        self.rosters.get(roster).map(|roster| self.on_duty_of(roster, at))
    }

    /// The same of a roster that need not be among them.
    pub(crate) fn on_duty_of(&self, roster: &Roster, at: Timestamp) -> Duty {
        let mut moment = Moment::new(&roster.zone, at);
        let calendar = roster.calendar.as_ref().and_then(|id| self.calendars.get(id));
        let mut people = Vec::new();
        for shift in &roster.shifts {
            for person in shift.on(&mut moment, calendar, &self.leave) {
                add(&mut people, person);
            }
        }
        for change in &roster.overrides {
            if moment.within(Some(change.from), Some(change.until)) {
                people.clear();
                change.people.iter().for_each(|person| add(&mut people, *person));
            }
        }
        for swap in &roster.swaps {
            if moment.within(Some(swap.from), Some(swap.until)) {
                people = swapped(&people, swap.off, swap.on);
            }
        }
        for Counting { stand_in, how } in &roster.stand_ins {
            // Whoever is on duty anyway makes nobody else's duty theirs: there would be one person fewer.
            if moment.between(stand_in.from, stand_in.until) && !people.contains(&stand_in.on) {
                match how {
                    How::Instead => people = swapped(&people, stand_in.off, stand_in.on),
                    How::Beside if people.contains(&stand_in.off) => people.push(stand_in.on),
                    How::Beside => {}
                }
            }
        }
        Duty { people, until: moment.next_edge() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rosters.is_empty() && self.calendars.is_empty() && self.leave.is_empty()
    }
}

/// The same with one in the place of another, each once.
fn swapped(people: &[PersonId], off: PersonId, on: PersonId) -> Vec<PersonId> {
    let mut after = Vec::with_capacity(people.len());
    for person in people {
        add(&mut after, if *person == off { on } else { *person });
    }
    after
}

fn add(people: &mut Vec<PersonId>, person: PersonId) {
    if !people.contains(&person) {
        people.push(person);
    }
}
