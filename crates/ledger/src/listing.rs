//! The one projection: a card per history, found by owner, place, state and time.
//!
//! It is written with the entries that change it, and can be cleared and written again from the record.
//! What a card says is its writer's business.

use crate::entry::{Seq, fits_a_column};

/// One card of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What it is about (`KAL-42`). A later listing of the same key replaces this one.
    pub key: String,
    /// Whose it is.
    pub cust: String,
    /// Where it is.
    pub site: String,
    /// Where it stands, in the writer's words.
    pub state: String,
    /// When it was opened, in microseconds since 1970 UTC. Lists are ordered by it, the newest first.
    pub opened_us: i64,
    /// The last entry that changed it. A listing with a lower one never replaces this one.
    pub seq: Seq,
    /// What is shown. Bytes, in a form the writer chooses; no personal data, for no erasure reaches in here.
    pub card: Vec<u8>,
}

/// A text of a listing that a database would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} of a listing is at most 255 bytes without control characters")]
pub struct NotAListing {
    /// The field's name.
    pub field: &'static str,
}

impl Listing {
    pub(crate) fn check(&self) -> Result<(), NotAListing> {
        let texts = [("key", &self.key), ("cust", &self.cust), ("site", &self.site), ("state", &self.state)];
        match texts.into_iter().find(|(_, text)| !fits_a_column(text)) {
            Some((field, _)) => Err(NotAListing { field }),
            None => Ok(()),
        }
    }
}

/// Which listings, the newest first. `None` asks nothing; an empty list of allowed values allows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingQuery {
    /// Only of these owners.
    pub custs: Option<Vec<String>>,
    /// Only at these places.
    pub sites: Option<Vec<String>>,
    /// Only in these states.
    pub states: Option<Vec<String>>,
    /// Opened at or after this, in microseconds since 1970 UTC.
    pub from_us: Option<i64>,
    /// Opened before this, in microseconds since 1970 UTC.
    pub to_us: Option<i64>,
    /// Only what comes after the listing with this `opened_us` and `key`: the last one of the page before.
    pub before: Option<(i64, String)>,
    /// At most this many.
    pub limit: u32,
}

impl ListingQuery {
    /// Whether a listing is asked for; the limit aside.
    pub(crate) fn admits(&self, listing: &Listing) -> bool {
        let among = |allowed: &Option<Vec<String>>, value: &String| allowed.as_ref().is_none_or(|list| list.contains(value));
        among(&self.custs, &listing.cust)
            && among(&self.sites, &listing.site)
            && among(&self.states, &listing.state)
            && self.from_us.is_none_or(|from| listing.opened_us >= from)
            && self.to_us.is_none_or(|to| listing.opened_us < to)
            && self.before.as_ref().is_none_or(|(opened, key)| (listing.opened_us, &listing.key) < (*opened, key))
    }
}
