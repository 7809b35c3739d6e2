//! Whom the climb is trying to reach, and what became of each message.

use crate::dispatch::{Purpose, Recipient};
use crate::event::{ContactSkip, Party};
use crate::ladder::Medium;
use crate::time::Timestamp;

/// One party being tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pursuit {
    /// Who, of which rung, by which channels.
    pub party: Party,
    /// The channel step that is being tried.
    pub step: u16,
    /// Whether there is still something to wait for.
    pub state: Chase,
}

/// How a pursuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chase {
    /// A message is out, or a desk has it in view.
    Trying,
    /// Nothing left to wait for, and why.
    Over(ContactSkip),
}

/// A message that may still change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// To whom.
    pub to: Recipient,
    /// By which channel.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// Whose pursuit, and which step.
    pub pursuit: Option<(u16, u16)>,
    /// What became of it.
    pub state: AttemptState,
}

/// What became of a message, in order of rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttemptState {
    /// No carrier has reported.
    Owed,
    /// A provider took it; a receipt is due until then, `None` where none will come.
    Accepted(Option<Timestamp>),
    /// The promised receipt did not come in time.
    Overdue,
    /// The phone has it.
    Delivered,
    /// It will not arrive.
    Lost,
}

/// How an alarm went to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// By which channel.
    pub medium: Medium,
    /// How many alarms may have reached them by it: sent, and not known to be lost.
    pub alarms: u32,
    /// All that they were asked is whether it was they who pressed, testing.
    pub as_tester: bool,
}

impl Told {
    /// Whether they may know of the alarm at all.
    pub fn reached(self) -> bool {
        self.alarms > 0
    }
}
