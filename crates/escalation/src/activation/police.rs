//! Whether the police are needed, and whether anybody has said to have rung them.

use crate::police::Threshold;
use crate::time::Timestamp;

/// The police are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Police {
    /// Since when.
    pub since: Timestamp,
    /// Why, where that was said.
    pub threshold: Option<Threshold>,
    /// How often nobody had said to have rung.
    pub asked: u32,
    /// Whether people are being told to ring.
    pub told: bool,
    /// When somebody said that they have been rung.
    pub rung_at: Option<Timestamp>,
    /// Somebody gave the name of who rang and the reference that the police gave.
    pub referenced: bool,
    /// When people are asked next, until then.
    pub next: Timestamp,
}

impl Police {
    /// When people are asked to ring, while nobody has said to have rung.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.rung_at.is_none().then_some(self.next)
    }
}
