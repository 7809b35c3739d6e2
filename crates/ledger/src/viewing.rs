//! Who read the record: the entries that say so, found by whose it was and from the newest on.
//!
//! That somebody read is the one thing of which the record knows the kind: it is about the record itself.

use crate::Entry;
use crate::entry::Seq;

/// The kind of the entries that say who read. It stands in the text of an index, so that it is no parameter.
pub(crate) const VIEWED: &str = "record.viewed";

/// Which of them, the newest first. `None` asks nothing; an empty list of allowed values allows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewsQuery {
    /// Only of this history (`views:KAL-42`).
    pub stream: Option<String>,
    /// Only of these owners.
    pub custs: Option<Vec<String>>,
    /// Only before this place: the last one of the page before.
    pub before: Option<Seq>,
    /// At most this many.
    pub limit: u32,
}

impl ViewsQuery {
    /// Whether an entry is asked for; the limit aside.
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        entry.columns.kind == VIEWED
            && self.stream.as_ref().is_none_or(|stream| *stream == entry.columns.stream)
            && self.custs.as_ref().is_none_or(|custs| custs.contains(&entry.columns.cust))
            && self.before.is_none_or(|before| entry.seq < before)
    }
}
