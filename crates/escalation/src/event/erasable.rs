//! What private values are erased of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ActivationId, PersonId};

/// What private values are erased of. It names nobody but by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erasable {
    /// Of an activation: everything private in its own entries.
    Activation(ActivationId),
    /// Of somebody whom the directory no longer names: every version of their details, and their name where they acted.
    Person(PersonId),
}

impl fmt::Display for Erasable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Activation(id) => id.fmt(f),
            Self::Person(person) => person.fmt(f),
        }
    }
}
