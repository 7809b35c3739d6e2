//! Who read what of the record: counted, not listed one by one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{ActivationId, CustomerId, NotAnId, PersonId, SiteId};
use crate::time::Timestamp;

/// What every history of readers is called by, so that none of them is taken for an activation's own.
const PREFIX: &str = "views:";

/// That something was read, as recorded: one entry for a reader, what they read and a window of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewed {
    /// What was read. It is its own stream in the record: that of the activation stays as it was.
    #[serde(rename = "in")]
    pub of: ViewOf,
    /// Whose that is, where it is one customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cust: Option<CustomerId>,
    /// At which site, where it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Who read: `principal`, the key or session, or `link`, the person whose link it was. `None` where there were more readers than could be kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Viewer>,
    /// By which ways, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub how: Vec<Way>,
    /// How many times.
    pub count: u32,
    /// When first in this window.
    pub first: Timestamp,
    /// When last in it.
    pub last: Timestamp,
}

/// Who read, by what they proved to have. No reader is asked for a name: nobody could check it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Viewer {
    /// Whoever has this key or session, by its name; `os:root` from the control socket.
    Principal(String),
    /// Whoever has the link of this person.
    Link(PersonId),
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViewOf {
    /// An activation in full.
    Activation(ActivationId),
    /// The list of people whom ladders tell.
    People,
    /// Entries of the record, as they were hashed.
    Entries,
    /// The live stream of entries.
    Stream,
    /// Who is on duty.
    Duty,
    /// What the record says of its readers.
    Readers,
    /// More than could be kept apart.
    Others,
}

/// By which way something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A page of the desk.
    Page,
    /// The API.
    Api,
    /// An evidence bundle was made of it.
    Bundle,
    /// A responder's link. Whatever opens links in mails does so too.
    Link,
    /// What the record says of its readers.
    Views,
}

impl Way {
    /// As the record and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Bundle => "bundle",
            Self::Link => "link",
            Self::Views => "views",
        }
    }
}

impl ViewOf {
    /// The activation, where it is one.
    pub fn activation(&self) -> Option<&ActivationId> {
        match self {
            Self::Activation(id) => Some(id),
            Self::People | Self::Entries | Self::Stream | Self::Duty | Self::Readers | Self::Others => None,
        }
    }

    /// Without what every history of readers is called by: `KAL-42`, `people`.
    pub fn name(&self) -> String {
        match self {
            Self::Activation(id) => id.to_string(),
            Self::People => "people".to_owned(),
            Self::Entries => "entries".to_owned(),
            Self::Stream => "stream".to_owned(),
            Self::Duty => "duty".to_owned(),
            Self::Readers => "readers".to_owned(),
            Self::Others => "others".to_owned(),
        }
    }
}

impl fmt::Display for ViewOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.name())
    }
}

impl FromStr for ViewOf {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = || NotAnId::new(text, "what was read, like views:KAL-42");
        match text.strip_prefix(PREFIX).ok_or_else(bad)? {
            "people" => Ok(Self::People),
            "entries" => Ok(Self::Entries),
            "stream" => Ok(Self::Stream),
            "duty" => Ok(Self::Duty),
            "readers" => Ok(Self::Readers),
            "others" => Ok(Self::Others),
            id => id.parse().map(Self::Activation).map_err(|_| bad()),
        }
    }
}

impl Serialize for ViewOf {
    fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ViewOf {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_reads_back_and_is_no_activation() {
        let id: ActivationId = "KAL-U1-7".parse().unwrap();
        let lists = [ViewOf::People, ViewOf::Entries, ViewOf::Stream, ViewOf::Duty, ViewOf::Readers, ViewOf::Others];
        for of in lists.into_iter().chain([ViewOf::Activation(id)]) {
            let shown = of.to_string();
            assert_eq!(shown.parse::<ViewOf>().unwrap(), of);
            assert!(shown.parse::<ActivationId>().is_err() && shown.parse::<crate::id::DeviceId>().is_err(), "{shown}");
        }
        for bad in ["KAL-1", "views:", "views:kal-1", "views:PEOPLE", "people"] {
            assert!(bad.parse::<ViewOf>().is_err(), "{bad}");
        }
    }
}
