//! What is appended at once: entries from a known place on, what they disclose, and the listings they change.
//!
//! A batch holds nothing that a database could refuse, so that what remains to fail is the database itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::disclosure::Disclosure;
use crate::entry::{EntryBody, Seq};
use crate::listing::{Listing, NotAListing};

/// An entry with what it commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The entry.
    pub body: EntryBody,
    /// The values whose digests it contains.
    pub disclosures: Vec<Disclosure>,
}

/// One transaction's worth. Kept until its outcome is known, since it is retried with the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    first: Seq,
    entries: Vec<Sealed>,
    disclosed: BTreeSet<Digest>,
    listings: BTreeMap<String, Listing>,
}

impl Batch {
    /// A batch whose first entry will be at `first`, which must be the size of the record when it is appended.
    pub const fn new(first: Seq) -> Self {
        Self { first, entries: Vec::new(), disclosed: BTreeSet::new(), listings: BTreeMap::new() }
    }

    /// Adds an entry and says its place. A disclosure that the batch already has is kept with the earlier entry alone:
    /// it is the same file.
    pub fn push(&mut self, body: EntryBody, mut disclosures: Vec<Disclosure>) -> Seq {
        let seq = self.next();
        disclosures.retain(|disclosure| self.disclosed.insert(disclosure.digest()));
        self.entries.push(Sealed { body, disclosures });
        seq
    }

    /// Adds a listing; of two with one key the later remains.
    pub fn list(&mut self, listing: Listing) -> Result<(), NotAListing> {
        listing.check()?;
        self.listings.insert(listing.key.clone(), listing);
        Ok(())
    }

    /// The place of the first entry.
    pub const fn first(&self) -> Seq {
        self.first
    }

    /// The place after the last entry: where the next batch begins.
    pub fn next(&self) -> Seq {
        self.first.plus(u64::try_from(self.entries.len()).unwrap_or(u64::MAX))
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Sealed] {
        &self.entries
    }

    /// The entries with their places.
    pub fn placed(&self) -> impl Iterator<Item = (Seq, &Sealed)> {
        (self.first.index()..).map(Seq::new).zip(&self.entries)
    }

    /// The listings, by key.
    pub fn listings(&self) -> impl ExactSizeIterator<Item = &Listing> {
        self.listings.values()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.listings.is_empty()
    }
}
