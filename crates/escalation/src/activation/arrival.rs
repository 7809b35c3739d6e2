//! Who is there already, and the check that they are still safe.

use super::Companion;
use crate::event::Responder;
use crate::time::{Timestamp, Why};

/// A responder at the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Who.
    pub by: Companion,
    /// When they said so first.
    pub since: Timestamp,
    /// When they are asked whether they are safe.
    pub ask_at: Timestamp,
    /// Without a word until then somebody is sent to them.
    pub silent_at: Timestamp,
    /// How their check stands.
    pub check: Check,
}

/// How the check on a responder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// They have been heard lately.
    Heard,
    /// They were asked and have not answered yet.
    Asked,
    /// They fell silent; somebody is sent to them.
    Silent,
    /// They have left, or can no longer help.
    Over,
}

impl Arrival {
    pub(crate) fn new(by: Companion, at: Timestamp, ask_at: Timestamp, silent_at: Timestamp) -> Self {
        Self { by, since: at, ask_at, silent_at, check: Check::Heard }
    }

    /// Whether this human is there, whatever their check says.
    pub(crate) fn is_of(&self, by: &Responder) -> bool {
        match self.check {
            Check::Heard | Check::Asked | Check::Silent => self.by.is(by),
            Check::Over => false,
        }
    }

    /// What their check waits for.
    pub(crate) fn due(&self) -> Option<(Timestamp, Why)> {
        match self.check {
            Check::Heard => Some((self.ask_at, Why::Check)),
            Check::Asked => Some((self.silent_at, Why::Silence)),
            Check::Silent | Check::Over => None,
        }
    }
}
