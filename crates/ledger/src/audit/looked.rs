//! What can be told from one entry alone, whatever the rest of the record says: the costly part of an audit, which any thread can do.

use std::borrow::Cow;

use serde::Deserialize;

use super::history::Counted;
use crate::digest::Digest;
use crate::entry::{Columns, EntryBody};
use crate::found::Found;
use crate::tree::LeafHash;

/// An entry as it lies in the store, whatever it is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raw {
    /// Its place, as stored.
    pub(crate) seq: i64,
    /// Its leaf hash, as stored.
    pub(crate) leaf: Vec<u8>,
    /// `at_us`, as stored.
    pub(crate) at_us: i64,
    /// `stream`, as stored.
    pub(crate) stream: String,
    /// `kind`, as stored.
    pub(crate) kind: String,
    /// `cust`, as stored.
    pub(crate) cust: String,
    /// Its bytes; `None` where they are gone.
    pub(crate) body: Option<Vec<u8>>,
}

/// An entry that was looked at by itself.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// Its place, as stored.
    pub(super) place: i64,
    /// Its leaf hash as stored; `None` where that is no hash.
    pub(super) stored: Option<LeafHash>,
    /// Its leaf hash from its bytes; `None` where they are gone.
    pub(super) made: Option<LeafHash>,
    /// What its bytes say.
    pub(super) body: Body,
}

/// What the bytes of an entry say.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// They are not there. By its columns it is of this history and of this customer.
    Gone { stream: String, cust: String },
    /// They are no entry.
    NotAnEntry { why: String },
    /// They are an entry.
    Entry(Told),
}

/// What an entry tells.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Columns that say otherwise than its bytes.
    pub(super) differing: Vec<&'static str>,
    /// When it happened, in microseconds since 1970 UTC.
    pub(super) at_us: i64,
    /// Its counters.
    pub(super) counted: Counted,
    /// The note of the name that this record goes on from.
    pub(super) succeeds: Option<String>,
}

/// What an audit looks at within an entry, beside its columns. A field that holds something else than it should counts as not there.
#[derive(Debug, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    cust: Found<Cow<'a, str>>,
    #[serde(borrow, default)]
    act: Found<Cow<'a, str>>,
    #[serde(borrow, default)]
    succeeds: Found<Cow<'a, str>>,
    #[serde(default)]
    aseq: Found<u64>,
    #[serde(default)]
    count: Found<u64>,
    #[serde(default)]
    ord: Found<u64>,
}

impl Looked {
    /// Looks at an entry.
    pub(crate) fn at(raw: Raw) -> Self {
        let Raw { seq: place, leaf, at_us, stream, kind, cust, body } = raw;
        let stored = Digest::try_from(leaf.as_slice()).ok().map(LeafHash::from_digest);
        let Some(bytes) = body else {
            return Self { place, stored, made: None, body: Body::Gone { stream, cust } };
        };
        match EntryBody::parse(&bytes) {
            Ok(entry) => {
                let told = told(&entry, &Columns { at_us, kind, cust, stream });
                Self { place, stored, made: Some(entry.leaf()), body: told.map_or_else(|why| Body::NotAnEntry { why }, Body::Entry) }
            }
            Err(why) => Self { place, stored, made: Some(LeafHash::of(&bytes)), body: Body::NotAnEntry { why: why.to_string() } },
        }
    }
}

/// A disclosure that was looked at by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The place of the entry that it belongs to, as stored.
    pub(super) place: i64,
    /// Whether its bytes are those of its digest.
    pub(super) is_sound: bool,
}

impl Held {
    /// Looks at a disclosure.
    pub(crate) fn of(place: i64, digest: &[u8], bytes: &[u8]) -> Self {
        Self { place, is_sound: Digest::of(&[bytes]).as_bytes() == digest }
    }
}

fn told(entry: &EntryBody, stored: &Columns) -> Result<Told, String> {
    let columns = entry.columns();
    let compared = [
        ("at_us", columns.at_us == stored.at_us),
        ("stream", columns.stream == stored.stream),
        ("kind", columns.kind == stored.kind),
        ("cust", columns.cust == stored.cust),
    ];
    let differing = compared.into_iter().filter(|(_, same)| !same).map(|(column, _)| column).collect();
    let fields: Fields<'_> = serde_json::from_slice(entry.bytes()).map_err(|why| why.to_string())?;
    let owned = |found: Found<Cow<'_, str>>| found.0.map(Cow::into_owned);
    let (count, aseq, ord) = (fields.count.0, fields.aseq.0, fields.ord.0);
    let counted = Counted { cust: owned(fields.cust), act: owned(fields.act), aseq, count, ord };
    Ok(Told { differing, at_us: columns.at_us, counted, succeeds: owned(fields.succeeds) })
}
