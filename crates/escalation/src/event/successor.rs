//! Who is asked to take over.

use serde::{Deserialize, Serialize};

use super::offer;
use crate::id::{ContactKey, PersonId};
use crate::private::{Field, Private};

/// Somebody whom an owner names to take over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    /// The name, as the caller said it.
    pub name: Private,
    /// Keyed digest of that name, by which whoever acts in it is known again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ContactKey>,
    /// The same as a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

impl Successor {
    /// Offers the name to `seal`.
    pub(super) fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        let subject = self.person.map(|p| p.to_string()).unwrap_or_default();
        offer(seal, "successor", &subject, Some(&mut self.name));
    }
}
