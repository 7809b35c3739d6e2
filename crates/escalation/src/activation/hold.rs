//! The time that an operator has bought, and the ownership that they have offered to somebody else.

use crate::event::{Doer, Successor};
use crate::id::{ContactKey, PersonId};
use crate::time::Timestamp;

/// The climb stands still for a while because its owner said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub since: Timestamp,
    /// When the climb goes on by itself.
    pub until: Timestamp,
}

/// Ownership that was offered and that nobody has taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The name by which somebody takes it.
    pub to: Option<ContactKey>,
    /// The same as a person of the directory.
    pub person: Option<PersonId>,
    /// Silence until then leaves it with whoever offered it.
    pub until: Timestamp,
}

impl Offer {
    pub(crate) fn new(to: &Successor, until: Timestamp) -> Self {
        Self { to: to.key, person: to.person, until }
    }

    /// Whether this caller acts in the name of whoever it was offered to.
    pub(crate) fn is_to(&self, doer: &Doer) -> bool {
        match (self.person, doer.person) {
            (Some(named), Some(acting)) => named == acting,
            (Some(_) | None, None) | (None, Some(_)) => self.to.is_some() && self.to == doer.actor_key,
        }
    }
}
