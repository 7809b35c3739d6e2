//! Text that a record commits to but does not contain: names, numbers, addresses, notes, raw payloads.
//!
//! An event leaves [`crate::engine::Engine::decide`] with such text open, is sealed by the journal, and only
//! the sealed form is ever applied or stored. The rules therefore cannot come to depend on it.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};

use crate::id::Digest;

/// A text that is open on its way in and a digest ever after.
#[derive(Clone, PartialEq, Eq)]
pub enum Private {
    /// As it came in. Must be sealed before it is applied, stored or shown.
    Open(String),
    /// The SHA-256 of its disclosure file `["<salt>","<label>","<value>"]`.
    Sealed(Digest),
}

impl Private {
    /// The open text, if it is still open.
    pub fn open(&self) -> Option<&str> {
        match self {
            Self::Open(text) => Some(text),
            Self::Sealed(_) => None,
        }
    }

    /// The digest, once sealed.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Open(_) => None,
            Self::Sealed(digest) => Some(*digest),
        }
    }
}

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self::Open(text)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(text) => write!(f, "Open({} bytes, redacted)", text.len()),
            Self::Sealed(digest) => write!(f, "Sealed({digest})"),
        }
    }
}

impl Serialize for Private {
    fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(_) => Err(serde::ser::Error::custom("a private text must be sealed before it is written down")),
            Self::Sealed(digest) => {
                let mut map = sink.serialize_map(Some(1))?;
                map.serialize_entry("sd", digest)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Private {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Commitment {
            sd: Digest,
        }
        Commitment::deserialize(source).map(|c| Self::Sealed(c.sd))
    }
}

/// One private field of an event, offered to whoever seals it.
pub struct Field<'a> {
    /// The label inside the disclosure file: `name`, `mobile`, `note`.
    pub label: &'static str,
    /// Whom it is about, `P-17`, or empty where it is about nobody in particular.
    pub subject: String,
    /// The text, to be replaced by its digest.
    pub text: &'a mut Private,
}
