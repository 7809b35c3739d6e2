//! Time as the rules see it: a parameter. The one place where the time library enters this room.

pub use jiff::{SignedDuration, Timestamp};

use serde::{Deserialize, Serialize};

use crate::id::ActivationId;

/// A wait in whole seconds, as ladders, holds and commitments state them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// The instant this long after `at`; saturates at the end of time.
    pub fn after(self, at: Timestamp) -> Timestamp {
        at.saturating_add(SignedDuration::from_secs(i64::from(self.0))).unwrap_or(Timestamp::MAX)
    }
}

/// When the engine wants to be asked again, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// The instant from which [`crate::input::Input::Tick`] has something to decide.
    pub at: Timestamp,
    /// Whose.
    pub activation: ActivationId,
    /// For the log and the desk; never for a decision.
    pub why: Why,
}

/// What a deadline waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A delivery receipt that should have come.
    Receipt,
    /// The rung's wait is over.
    RungWait,
    /// A commitment should have been kept: ask whether they are still going.
    Arrival,
    /// Nobody answered that question.
    Grace,
    /// A responder who has arrived is asked whether they are safe.
    Check,
    /// Nobody answered that: somebody is sent to them.
    Silence,
    /// Nobody has said that they have rung the police.
    Police,
    /// The time that an owner bought is over.
    Hold,
    /// Nobody has taken over.
    HandOver,
    /// A word that was given is acted on.
    Word,
    /// A claim without action lapses.
    ClaimLapse,
    /// The next round to everyone.
    Round,
    /// A drill ends by itself.
    DrillOver,
    /// A closed activation leaves memory.
    Archive,
    /// People are told of a trouble, or that it is over.
    Trouble,
}

/// Milliseconds from `earlier` to `later`, 0 where it is not later.
pub fn millis_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.duration_since(earlier).as_millis()).unwrap_or(0)
}
