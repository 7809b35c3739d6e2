//! Ladders: who is asked, in which order, and how long each step waits.
//!
//! A ladder is frozen into an activation when it is raised. People and their details are resolved when a rung is entered.

use serde::{Deserialize, Serialize};

use crate::id::{CentreId, LadderId, PersonId, RosterId};
use crate::roster::{Hours, OnHolidays};
use crate::signal::Kind;
use crate::time::Seconds;

/// An ordered list of rungs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Its name in the directory.
    pub id: LadderId,
    /// From the first to be told to the last.
    pub rungs: Vec<Rung>,
}

/// Counts rungs from 0 within a ladder; shown to people from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RungIndex(pub u16);

impl RungIndex {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One step of a ladder: everybody in it is told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Who.
    pub targets: Vec<Target>,
    /// How long, in seconds, before the next rung is told as well.
    pub wait_s: Seconds,
    /// When it applies.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// How many people have to accept once it was entered.
    #[serde(default, skip_serializing_if = "Need::is_one")]
    pub need: Need,
}

/// How many people have to accept before a ladder stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Whoever comes first.
    #[default]
    One,
    /// So many.
    AtLeast(u16),
    /// As many as the rung has people when it is entered.
    Each,
}

/// When a rung applies. What is not said does not limit it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// At which hours, by the clock of the site at which a press is made; `None`: day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// For which kinds of help; empty: for every kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
}

/// One party of a rung and the ways to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Who.
    pub who: Who,
    /// Channels: the outer list is fallback in order, an inner list is together.
    pub by: Vec<Vec<Medium>>,
}

/// A party that a rung can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A person.
    Person(PersonId),
    /// A monitoring centre.
    Centre(CentreId),
    /// Whoever is on duty there when the rung is entered.
    Roster(RosterId),
}

/// A way to reach someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A call, answered by digits.
    Voice,
    /// A signed HTTP request to a centre.
    Webhook,
    /// The desk's own queue and stream: nothing is sent, an operator has to look.
    Desk,
}

impl Medium {
    /// As the record, the directory and the metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Voice => "voice",
            Self::Webhook => "webhook",
            Self::Desk => "desk",
        }
    }

    /// By what the same address is written to: a call goes to the number that texts go to, and what follows it is a text.
    #[must_use]
    pub fn in_writing(self) -> Self {
        match self {
            Self::Voice | Self::Sms => Self::Sms,
            Self::Email => Self::Email,
            Self::Webhook => Self::Webhook,
            Self::Desk => Self::Desk,
        }
    }
}

impl Need {
    /// Whether one person is enough, as on most rungs.
    pub fn is_one(&self) -> bool {
        *self == Self::One
    }
}

impl When {
    /// Whether nothing limits it.
    pub fn is_always(&self) -> bool {
        self.hours.is_none() && self.kinds.is_empty()
    }

    /// Whether it is for calls of this kind.
    pub fn is_for(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

impl Ladder {
    /// Whether any rung of it holds at certain hours only.
    pub fn has_hours(&self) -> bool {
        self.rungs.iter().any(|rung| rung.when.hours.is_some())
    }

    /// Whether any rung of it asks whose public holiday it is.
    pub fn asks_about_holidays(&self) -> bool {
        let asks = |rung: &Rung| rung.when.hours.as_ref().is_some_and(|hours| hours.holidays != OnHolidays::On);
        self.rungs.iter().any(asks)
    }

    /// The rung at `index`, if the ladder is that long.
    pub fn rung(&self, index: RungIndex) -> Option<&Rung> {
        self.rungs.get(usize::from(index.0))
    }
}
