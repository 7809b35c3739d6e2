//! Who has answered, to what they have committed, and who owns the call.

use crate::acknowledgement::Commitment;
use crate::event::{AnsweredVia, Doer, Responder};
use crate::id::{ContactKey, PersonVersion};
use crate::time::Timestamp;

/// A commitment and its deadline (I3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Who.
    pub by: Companion,
    /// To what.
    pub commitment: Commitment,
    /// Since when.
    pub since: Timestamp,
    /// When they should be there, or have verified.
    pub arrive_by: Timestamp,
    /// Asked whether still going; silence until then resumes the climb.
    pub grace_until: Option<Timestamp>,
    /// The climb goes on beside it.
    pub climb_on: bool,
    /// The `aseq` of the entry in which they said so.
    pub answer: u32,
}

/// Somebody who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// A person of the directory.
    pub person: Option<PersonVersion>,
    /// The address they answered from.
    pub contact: Option<ContactKey>,
    /// How.
    pub via: AnsweredVia,
    /// Through the API: who is responsible.
    pub doer: Option<Box<Doer>>,
    /// To what.
    pub commitment: Commitment,
    /// Their estimate is beyond the site's limit.
    pub far: bool,
}

impl Companion {
    pub(crate) fn new(by: &Responder, commitment: Commitment) -> Self {
        Self { person: by.person, contact: by.contact, via: by.via, doer: by.by.clone().map(Box::new), commitment, far: false }
    }

    pub(crate) fn at_a_distance(self, far: bool) -> Self {
        Self { far, ..self }
    }

    /// Whether `other` is the same human, as far as anyone can tell.
    pub(crate) fn is(&self, other: &Responder) -> bool {
        self.is_human(other.person, other.contact, other.by.as_ref())
    }

    /// Whether two who answered are one human, as far as anyone can tell.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_human(other.person, other.contact, other.doer.as_deref())
    }

    /// What tells somebody without a place in the directory from others: their address, else the name a caller gave.
    pub(crate) fn mark(&self) -> Option<ContactKey> {
        self.contact.or_else(|| self.doer.as_ref()?.actor_key)
    }

    fn is_human(&self, person: Option<PersonVersion>, contact: Option<ContactKey>, doer: Option<&Doer>) -> bool {
        match (self.person, person) {
            (Some(mine), Some(theirs)) => mine.person == theirs.person,
            (None, None) => {
                let same_doer = match (&self.doer, doer) {
                    (Some(mine), Some(theirs)) => mine.is_same_caller(theirs),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                self.contact == contact && same_doer
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// An operator's ownership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub by: Doer,
    /// Without an act of theirs it lapses then.
    pub lapses_at: Timestamp,
}
