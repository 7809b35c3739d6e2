//! What is changed of a roster for a stated time: overrides, swaps, leave, and who stands in by hand. All of them end by themselves.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::id::PersonId;
use crate::time::Timestamp;

/// These people and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// From when, by the roster's clock.
    pub from: DateTime,
    /// Until when, by the roster's clock.
    pub until: DateTime,
    /// Who is on duty instead of everybody.
    pub people: Vec<PersonId>,
}

/// One person in the place of another. Where the other is not on duty, it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// From when, by the roster's clock.
    pub from: DateTime,
    /// Until when, by the roster's clock.
    pub until: DateTime,
    /// Who would be on duty.
    pub off: PersonId,
    /// Who is on duty instead.
    pub on: PersonId,
}

/// One person in the place of another, as somebody said while the station ran. Where the other is not on duty, it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who would be on duty.
    pub off: PersonId,
    /// Who is on duty instead.
    pub on: PersonId,
}

impl StandIn {
    /// Whether both are of one time.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// What of a [`StandIn`] counts, by the directory in force and everything else that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Who, for whom and when.
    pub stand_in: StandIn,
    /// How.
    pub how: How,
}

/// How somebody who stands in is on duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// In the place of the other.
    Instead,
    /// Both are, because there would be one person fewer otherwise, or because a rung could not tell whoever stands in.
    Beside,
}

/// A time at which a person is away from every roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// From when, by the clock of the roster that asks.
    pub from: DateTime,
    /// Until when, by the clock of the roster that asks.
    pub until: DateTime,
}
