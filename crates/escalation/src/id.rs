//! The names of things: newtypes minted by the core's own counters, sayable over a radio.
//!
//! Nothing here is random. What comes from outside is parsed into a [`Slug`] or refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest slug accepted from a topic, a file or an API caller.
pub const SLUG_MAX: usize = 64;

/// A short name that is safe in topics, keys, URLs and every database: `[A-Za-z0-9._-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(Arc<str>);

/// Why a text is not a [`Slug`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not a name: use 1 to {SLUG_MAX} of A-Z a-z 0-9 . _ -")]
pub struct NotASlug {
    shown: String,
}

impl Slug {
    /// The name of something that nobody named: `none`.
    pub fn unnamed() -> Self {
        Self("none".into())
    }

    /// Parses a slug, refusing anything outside `[A-Za-z0-9._-]{1,64}`.
    pub fn parse(text: &str) -> Result<Self, NotASlug> {
        let fits = !text.is_empty() && text.len() <= SLUG_MAX;
        if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
            return Ok(Self(text.into()));
        }
        Err(NotASlug { shown: text.chars().take(80).collect() })
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = NotASlug;
    fn from_str(text: &str) -> Result<Self, NotASlug> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

macro_rules! slug_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Slug);

        impl $name {
            /// Parses the name; see [`Slug::parse`].
            pub fn parse(text: &str) -> Result<Self, NotASlug> {
                Slug::parse(text).map(Self)
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
        impl From<Slug> for $name {
            fn from(slug: Slug) -> Self {
                Self(slug)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

slug_id! {
    /// A customer of the centre; every site belongs to exactly one.
    CustomerId;
    /// A region: what several sites of a customer have alike.
    RegionId;
    /// A group: people who are told together.
    GroupId;
    /// A site: one address with one or more places.
    SiteId;
    /// A device's name within its site, as its topic says it.
    DeviceName;
    /// A role: what somebody is at a site, `warden`, whoever has it there.
    RoleName;
    /// A monitoring centre.
    CentreId;
    /// A roster.
    RosterId;
    /// A calendar of public holidays.
    CalendarId;
    /// A schedule of drills.
    ScheduleId;
    /// An action plan.
    PlanId;
    /// A class of supervision: how buttons of one make are watched.
    SupervisionId;
    /// A carrier's account or endpoint, by the `name` it has in the settings.
    CarrierName;
    /// A place outside that is given checkpoints, by the `name` it has in the settings.
    AnchorName;
}

/// A ladder: `offices`, or `offices@northam` where it asks for roles and this is how a site fills them.
///
/// No file names the second form: it says which of a ladder's many forms was climbed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct LadderId(Arc<str>);

impl LadderId {
    /// Parses either form; see [`Slug::parse`] for what each part may be.
    pub fn parse(text: &str) -> Result<Self, NotASlug> {
        match text.split_once('@') {
            Some((ladder, site)) => Ok(Self::from(Slug::parse(ladder)?).at(&SiteId::parse(site)?)),
            None => Slug::parse(text).map(Self::from),
        }
    }

    /// This ladder as a site fills it.
    #[must_use]
    pub fn at(&self, site: &SiteId) -> Self {
        Self(format!("{self}@{site}").into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Slug> for LadderId {
    fn from(slug: Slug) -> Self {
        Self(slug.0)
    }
}

impl fmt::Display for LadderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LadderId {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A button, pendant or app: the pair that its topic names, so that identity never comes from a payload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    /// Where it is registered, or says it is.
    pub site: SiteId,
    /// Its name there.
    pub name: DeviceName,
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.name)
    }
}

impl FromStr for DeviceId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = || NotAnId::new(text, "a device like site/device");
        let (site, name) = text.split_once('/').ok_or_else(bad)?;
        Ok(Self { site: SiteId::parse(site).map_err(|_| bad())?, name: DeviceName::parse(name).map_err(|_| bad())? })
    }
}

/// A text that is not the id it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not {expected}")]
pub struct NotAnId {
    shown: String,
    expected: &'static str,
}

impl NotAnId {
    pub(crate) fn new(shown: &str, expected: &'static str) -> Self {
        Self { shown: shown.chars().take(80).collect(), expected }
    }
}

macro_rules! text_serde {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
                sink.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

text_serde!(DeviceId, PersonId, PersonVersion, ContactKey, KeyId, Prefix, ActivationId, DispatchId, Digest);

/// A person, shown as `P-17`. The directory's own id is a name and therefore a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(u32);

impl PersonId {
    /// The person with this number; numbers are minted in order of first adoption.
    pub fn new(number: u32) -> Self {
        Self(number)
    }
    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P-{}", self.0)
    }
}

impl FromStr for PersonId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.strip_prefix("P-").and_then(|n| n.parse().ok()).map(Self).ok_or_else(|| NotAnId::new(text, "a person like P-17"))
    }
}

/// One version of a person's details, shown as `P-17@3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonVersion {
    /// Who.
    pub person: PersonId,
    /// Which details; the first is 1.
    pub version: u32,
}

impl fmt::Display for PersonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.person, self.version)
    }
}

impl FromStr for PersonVersion {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = || NotAnId::new(text, "a person's version like P-17@3");
        let (person, version) = text.split_once('@').ok_or_else(bad)?;
        Ok(Self { person: person.parse().map_err(|_| bad())?, version: version.parse().map_err(|_| bad())? })
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        if pair.bytes().any(|b| b.is_ascii_uppercase() || b == b'+') {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

/// A keyed digest of one address (a number, a mailbox): equal addresses have equal keys, and nothing else can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactKey([u8; 16]);

impl ContactKey {
    /// Wraps a digest made by the shell under its own key.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl FromStr for ContactKey {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        unhex(text).map(Self).ok_or_else(|| NotAnId::new(text, "a contact key of 32 hex digits"))
    }
}

/// Names the station's key without telling anything of it, shown as 8 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Wraps the beginning of a digest made by the shell under the key itself.
    pub fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        unhex(text).map(Self).ok_or_else(|| NotAnId::new(text, "a key id of 8 hex digits"))
    }
}

/// A SHA-256 digest, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps a digest computed in the shell.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl FromStr for Digest {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        unhex(text).map(Self).ok_or_else(|| NotAnId::new(text, "a digest of 64 hex digits"))
    }
}

/// What the references of notices begin with.
const NOTICES: &str = "TRB";

/// What a customer's activation references begin with: 2 to 6 capital letters, `KAL`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// What an activation is called where not even a customer is known.
    pub(crate) fn fallback() -> Self {
        Self("ACT".into())
    }

    /// What a notice of a trouble is called; no customer's references begin so.
    pub(crate) fn of_notices() -> Self {
        Self(NOTICES.into())
    }

    /// Whether it is the one of notices.
    pub fn is_of_notices(&self) -> bool {
        &*self.0 == NOTICES
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if (2..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(Self(text.into()));
        }
        Err(NotAnId::new(text, "a prefix of 2 to 6 capital letters"))
    }
}

/// An activation's reference, shown as `KAL-42`, or `KAL-U1-7` where it was minted while the record was unreachable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivationId {
    /// Whose.
    pub prefix: Prefix,
    /// 0 for a reference minted with the record at hand; n for the n-th time the record was unreachable, and
    /// more than a million, taken from the time, where its spool was as well.
    pub series: u32,
    /// Counts from 1 within prefix and series.
    pub number: u32,
}

impl fmt::Display for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.series {
            0 => write!(f, "{}-{}", self.prefix, self.number),
            series => write!(f, "{}-U{series}-{}", self.prefix, self.number),
        }
    }
}

impl FromStr for ActivationId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = || NotAnId::new(text, "an activation like KAL-42");
        let mut parts = text.split('-');
        let prefix = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
        let (series, number) = match (parts.next(), parts.next(), parts.next()) {
            (Some(number), None, None) => (0, number),
            (Some(series), Some(number), None) => {
                let series = series.strip_prefix('U').and_then(canonical).filter(|s| *s > 0);
                (series.ok_or_else(bad)?, number)
            }
            (None | Some(_), _, _) => return Err(bad()),
        };
        Ok(Self { prefix, series, number: canonical(number).ok_or_else(bad)? })
    }
}

/// Reads a number written the one way we write it: no sign, no leading zero.
fn canonical(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// One message owed for one activation, shown as `KAL-42.7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DispatchId {
    /// Whose message.
    pub activation: ActivationId,
    /// Counts from 1 within the activation.
    pub number: u32,
}

impl fmt::Display for DispatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.activation, self.number)
    }
}

impl FromStr for DispatchId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = || NotAnId::new(text, "a dispatch like KAL-42.7");
        let (activation, number) = text.rsplit_once('.').ok_or_else(bad)?;
        Ok(Self { activation: activation.parse().map_err(|_| bad())?, number: canonical(number).ok_or_else(bad)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_read_back_as_they_are_shown() {
        for shown in ["KAL-42", "KAL-U1-7"] {
            assert_eq!(shown.parse::<ActivationId>().unwrap().to_string(), shown);
        }
        assert_eq!("KAL-U1-7.3".parse::<DispatchId>().unwrap().to_string(), "KAL-U1-7.3");
        for bad in ["KAL", "KAL-", "kal-1", "KAL-U0-7", "KAL-007", "KAL-1-2", "KAL-U1-2-3", "-1"] {
            assert!(bad.parse::<ActivationId>().is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn slugs_refuse_what_a_topic_or_database_could_choke_on() {
        for bad in ["", "a/b", "a b", "ü", "a\0", &"x".repeat(65)] {
            assert!(Slug::parse(bad).is_err(), "{bad:?} must be refused");
        }
        assert!(Slug::parse("front-counter_1.b").is_ok());
    }
}
