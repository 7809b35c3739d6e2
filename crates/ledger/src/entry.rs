//! One entry: exact bytes that were proven to be canonical, and the columns derived from them.
//!
//! Knows the common fields by which entries are found (`t`, `type`, `cust`, `act`, `dev`, `in`) and no others.
//! It never re-serialises what is stored, and holds no personal data: that is sealed in a `Disclosure`.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{self, NotCanonical};
use crate::found::Found;
use crate::tree::LeafHash;

/// The place of an entry in the record, which is its index in the tree. The first is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// The place of the first entry.
    pub const FIRST: Self = Self(0);

    /// The place with this index.
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The index in the tree.
    pub const fn index(self) -> u64 {
        self.0
    }

    /// The place `count` entries later.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The place before this one; `None` for the first.
    #[must_use]
    pub(crate) const fn before(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an entry is found by. Derived from its bytes, so a verifier can compute them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When it happened, in microseconds since 1970 UTC; from `t`.
    pub at_us: i64,
    /// What happened; from `type`.
    pub kind: String,
    /// Whose it is; from `cust`, or empty.
    pub cust: String,
    /// The history it belongs to; from `act`, else from `dev`, else from `in`, else empty.
    pub stream: String,
}

/// The exact bytes of one entry. Who has one knows that they are canonical and have the common fields.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryBody {
    bytes: Vec<u8>,
    leaf: LeafHash,
    columns: Columns,
}

/// Why bytes are no entry.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEntry {
    /// Not JSON, or not an object.
    #[error("an entry is one JSON object: {0}")]
    NotAnObject(#[source] serde_json::Error),
    /// It cannot be written in the one canonical way.
    #[error("an entry has only one spelling: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// It could be, but these bytes are another spelling: spaces, key order, escapes, a key twice.
    #[error("an entry has only one spelling, and these bytes are another (spaces, key order, escapes, or a key twice)")]
    OtherSpelling,
    /// A common field is missing or is not what it must be.
    #[error("field {field:?} of an entry must be {must_be}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it must be.
        must_be: &'static str,
    },
}

impl EntryBody {
    /// Takes bytes that are already canonical; every other spelling is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAnEntry> {
        if canonical::is_object(bytes) {
            return Self::of(bytes.to_vec());
        }
        let body = Self::of(canonical::object(&tree(bytes)?)?)?;
        if body.bytes == bytes { Ok(body) } else { Err(NotAnEntry::OtherSpelling) }
    }

    /// Writes the fields in the canonical way. They must make one JSON object.
    pub fn write(fields: &impl Serialize) -> Result<Self, NotAnEntry> {
        let json = serde_json::to_vec(fields).map_err(NotAnEntry::NotAnObject)?;
        match canonical::arranged(&json) {
            Some(bytes) => Self::of(bytes),
            None => Self::of(canonical::object(&tree(&json)?)?),
        }
    }

    /// Canonical bytes, if they have the common fields.
    fn of(bytes: Vec<u8>) -> Result<Self, NotAnEntry> {
        Ok(Self { columns: Columns::read(&bytes)?, leaf: LeafHash::of(&bytes), bytes })
    }

    /// An entry read back: its hash is compared with the one stored when the bytes were proven, which is as good as
    /// proving them again and ten times cheaper at replay. `None` when the hash is another.
    pub(crate) fn from_stored(bytes: Vec<u8>, leaf: LeafHash, columns: Columns) -> Option<Self> {
        (LeafHash::of(&bytes) == leaf).then_some(Self { bytes, leaf, columns })
    }

    /// The bytes, as stored and as hashed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the bytes as a leaf of the tree.
    pub const fn leaf(&self) -> LeafHash {
        self.leaf
    }

    pub(crate) const fn leaf_bytes(&self) -> &[u8] {
        self.leaf.digest().as_bytes()
    }

    /// What the entry is found by.
    pub const fn columns(&self) -> &Columns {
        &self.columns
    }
}

impl fmt::Debug for EntryBody {
    /// Without the bytes: a record is read by those who may, not in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryBody").field("kind", &self.columns.kind).field("len", &self.bytes.len()).field("leaf", &self.leaf).finish()
    }
}

impl Columns {
    fn read(bytes: &[u8]) -> Result<Self, NotAnEntry> {
        /// The common fields, each as it is there: an explicit null is no text.
        #[derive(Deserialize)]
        struct Common<'a> {
            #[serde(default, borrow, deserialize_with = "present")]
            t: Option<Found<Cow<'a, str>>>,
            #[serde(default, borrow, deserialize_with = "present", rename = "type")]
            kind: Option<Found<Cow<'a, str>>>,
            #[serde(default, borrow, deserialize_with = "present")]
            cust: Option<Found<Cow<'a, str>>>,
            #[serde(default, borrow, deserialize_with = "present")]
            act: Option<Found<Cow<'a, str>>>,
            #[serde(default, borrow, deserialize_with = "present")]
            dev: Option<Found<Cow<'a, str>>>,
            /// Beside all activations and devices: who read of them.
            #[serde(default, borrow, deserialize_with = "present", rename = "in")]
            within: Option<Found<Cow<'a, str>>>,
        }
        let Common { t, kind, cust, act, dev, within } = serde_json::from_slice(bytes).map_err(NotAnEntry::NotAnObject)?;
        let stream = match optional("act", act)? {
            Some(act) => act,
            None => match optional("dev", dev)? {
                Some(dev) => dev,
                None => optional("in", within)?.unwrap_or_default(),
            },
        };
        Ok(Self {
            at_us: moment(t.as_ref())?,
            kind: optional("type", kind)?
                .filter(|kind| !kind.is_empty())
                .ok_or(NotAnEntry::Field { field: "type", must_be: "present and not empty" })?,
            cust: optional("cust", cust)?.unwrap_or_default(),
            stream,
        })
    }
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Found<Cow<'a, str>>>, D::Error> {
    Found::deserialize(from).map(Some)
}

fn tree(json: &[u8]) -> Result<Map<String, Value>, NotAnEntry> {
    serde_json::from_slice(json).map_err(NotAnEntry::NotAnObject)
}

/// Bytes that an indexed text column takes, far below the 2,700 at which an index of PostgreSQL refuses a row.
const COLUMN_LIMIT: usize = 255;

/// Whether every database takes this text in an indexed column: PostgreSQL refuses U+0000 and long keys.
pub(crate) fn fits_a_column(text: &str) -> bool {
    text.len() <= COLUMN_LIMIT && !text.contains(char::is_control)
}

fn optional(field: &'static str, value: Option<Found<Cow<'_, str>>>) -> Result<Option<String>, NotAnEntry> {
    let Some(Found(text)) = value else { return Ok(None) };
    let fitting = text.filter(|text| fits_a_column(text)).map(Cow::into_owned);
    fitting.map(Some).ok_or(NotAnEntry::Field { field, must_be: "a text of at most 255 bytes without control characters" })
}

/// The moment in `t`, in microseconds since 1970 UTC. Other spellings of the same moment and leap seconds are refused.
fn moment(t: Option<&Found<Cow<'_, str>>>) -> Result<i64, NotAnEntry> {
    let text = t.and_then(|found| found.0.as_deref()).filter(|text| is_spelled(text));
    let at = text.and_then(|text| text.parse::<Timestamp>().ok());
    at.map(Timestamp::as_microsecond).ok_or(NotAnEntry::Field { field: "t", must_be: "a time like 2026-11-21T02:14:00.000000Z" })
}

/// Whether a moment is written as a [`Timestamp`] is written with six digits, if it is one. A leap second is not written at all.
fn is_spelled(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000000Z";
    let as_shaped = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.len() == SHAPE.len() && text.bytes().zip(SHAPE).all(|(byte, shape)| as_shaped((&byte, shape))) && text.get(17..19) != Some("60")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str =
        r#"{"act":"KAL-42","aseq":3,"cust":"acme","dev":"b-1","t":"2026-11-21T02:14:31.038254Z","type":"rung.entered","v":1}"#;

    /// Fields from the last to the first.
    struct Turned(Map<String, Value>);

    impl Serialize for Turned {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map(self.0.iter().rev())
        }
    }

    #[test]
    fn the_columns_are_derived() {
        let entry = EntryBody::parse(ENTRY.as_bytes()).expect("an entry");
        assert_eq!(entry.bytes(), ENTRY.as_bytes());
        let columns = Columns { at_us: 1_795_227_271_038_254, kind: "rung.entered".into(), cust: "acme".into(), stream: "KAL-42".into() };
        assert_eq!(*entry.columns(), columns);
        let without = ENTRY.replace(r#""act":"KAL-42","#, "");
        assert_eq!(EntryBody::parse(without.as_bytes()).expect("an entry").columns().stream, "b-1");
        let map: Map<String, Value> = serde_json::from_str(ENTRY).expect("JSON");
        assert_eq!(EntryBody::write(&map).expect("an entry"), entry);
    }

    #[test]
    fn it_is_written_as_it_is_parsed_whatever_the_order_of_its_fields() {
        let map: Map<String, Value> = serde_json::from_str(ENTRY).expect("JSON");
        assert_eq!(EntryBody::write(&Turned(map)).expect("an entry"), EntryBody::parse(ENTRY.as_bytes()).expect("an entry"));
    }

    #[test]
    fn the_entries_of_the_vectors_are_entries() {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/golden/record/vectors.json")).expect("JSON");
        for leaf in vectors["leaves"].as_array().expect("leaves") {
            let entry = EntryBody::parse(leaf["utf8"].as_str().expect("text").as_bytes()).expect("an entry");
            assert_eq!(entry.leaf().digest().to_string(), leaf["leaf_hash"].as_str().expect("hex"));
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let others = [
            ENTRY.replace(r#","cust""#, r#", "cust""#),
            format!("{ENTRY}\n"),
            ENTRY.replace("acme", "ac\\u006de"),
            ENTRY.replace("acme", r"ac\/me"),
            ENTRY.replace(r#""v":1"#, r#""v":1,"v":1"#),
            ENTRY.replace(r#""aseq":3,"cust":"acme""#, r#""cust":"acme","aseq":3"#),
        ];
        for other in others {
            assert!(matches!(EntryBody::parse(other.as_bytes()), Err(NotAnEntry::OtherSpelling)), "{other}");
        }
        assert!(matches!(EntryBody::parse(b"[1]"), Err(NotAnEntry::NotAnObject(_))));
        assert!(matches!(EntryBody::parse(b"{\"t\":\"\xff\"}"), Err(NotAnEntry::NotAnObject(_))));
        assert!(matches!(EntryBody::parse(br#"{"t":"\ud800"}"#), Err(NotAnEntry::NotAnObject(_))));
    }

    #[test]
    fn a_field_that_no_column_takes_is_refused() {
        let swapped = [
            ("acme", r"ac\u0000me"),
            ("acme", &"x".repeat(256)),
            (r#""acme""#, "7"),
            ("rung.entered", ""),
            (r#""acme""#, "null"),
            ("02:14:31.038254Z", "02:14:31.038Z"),
            ("02:14:31.038254Z", "02:14:31.038254+00:00"),
            ("02:14:31.038254Z", "02:14:60.038254Z"),
            ("T02:14", " 02:14"),
        ];
        for (from, to) in swapped {
            let wrong = ENTRY.replace(from, to);
            assert!(matches!(EntryBody::parse(wrong.as_bytes()), Err(NotAnEntry::Field { .. })), "{wrong}");
            let fields: Map<String, Value> = serde_json::from_str(&wrong).expect("JSON");
            assert!(matches!(EntryBody::write(&fields), Err(NotAnEntry::Field { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_time_has_the_one_spelling_that_is_written_of_it() {
        let right = "2026-11-21T02:14:31.038254Z";
        let mut others: Vec<String> = ["1", "3", "6", "9", "T", "t", "z", " ", "-", "+", ":", ".", ""]
            .iter()
            .flat_map(|put| (0..right.len()).map(move |at| format!("{}{put}{}", &right[..at], &right[at + 1..])))
            .collect();
        others.extend(["0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"].map(str::to_owned));
        for text in others.iter().map(String::as_str).chain([right]) {
            let written = text.parse::<Timestamp>().ok().filter(|at| format!("{at:.6}") == text).map(Timestamp::as_microsecond);
            assert_eq!(moment(Some(&Found(Some(text.into())))).ok(), written, "{text}");
        }
        assert!(moment(Some(&Found(Some("-000001-01-01T00:00:00.000000Z".into())))).is_err(), "a year has four digits");
    }

    #[test]
    fn a_changed_byte_shows_when_read_back() {
        let entry = EntryBody::parse(ENTRY.as_bytes()).expect("an entry");
        let stored = |bytes: &str| EntryBody::from_stored(bytes.into(), entry.leaf(), entry.columns().clone());
        assert_eq!(stored(ENTRY).as_ref(), Some(&entry));
        assert_eq!(stored(&ENTRY.replace("KAL-42", "KAL-43")), None);
    }
}
