//! Who is responsible for an act through the API.

use serde::{Deserialize, Serialize};

use super::offer;
use crate::id::{ContactKey, Digest, PersonId};
use crate::private::{Field, Private};

/// Who is responsible for an act through the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doer {
    /// Key or session.
    pub principal: String,
    /// The name the caller says acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Private>,
    /// Keyed digest of that name, by which two people behind one key are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_key: Option<ContactKey>,
    /// The same as a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Hash of the caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Digest>,
}

impl Doer {
    /// Whether two callers without a person of the directory are one human: the same key, in the same name. A name that was
    /// recorded before names had keys says nothing, and the caller's key alone decides.
    pub(crate) fn is_same_caller(&self, other: &Self) -> bool {
        let tells = |doer: &Self| doer.actor.is_none() || doer.actor_key.is_some();
        self.principal == other.principal && (self.actor_key == other.actor_key || !tells(self) || !tells(other))
    }

    /// Whether two callers are certainly two humans: two people of the directory, two names, or else two keys.
    pub(crate) fn is_told_apart_from(&self, other: &Self) -> bool {
        if let (Some(mine), Some(theirs)) = (self.person, other.person) {
            return mine != theirs;
        }
        let named = self.actor_key.is_some() && other.actor_key.is_some();
        self.principal != other.principal || (named && self.actor_key != other.actor_key)
    }

    /// Offers its private texts to `seal`.
    pub(super) fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        let subject = self.person.map(|p| p.to_string()).unwrap_or_default();
        offer(seal, "actor", &subject, self.actor.as_mut());
    }
}
