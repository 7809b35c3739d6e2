//! A finding of an audit: what is wrong, where, and what that means.

use std::fmt;
use std::ops::Range;

use crate::checkpoint::NotACheckpoint;
use crate::key::Origin;

/// One thing that is wrong, or that must be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// From the first place to the one after the last.
    pub places: Range<u64>,
    /// The time of the last entry before it that nothing is known against.
    pub since: Option<String>,
    /// What it is.
    pub fault: Fault,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The record is not what it was.
    Fault,
    /// It limits what was proven, and is no fault.
    Known,
}

/// What can be wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes do not have the stored hash: one of the two was altered.
    Altered,
    /// The stored hash is not one.
    LeafUnreadable,
    /// Entries are missing, and later ones are there.
    Missing,
    /// An entry at a place that is taken, or that is none.
    Extra {
        /// The place, as stored.
        place: i64,
    },
    /// The bytes are no entry.
    NotAnEntry {
        /// Why.
        why: String,
    },
    /// A column does not say what the bytes say.
    Column {
        /// Which.
        column: &'static str,
    },
    /// It is not later than the entry before it.
    TimeGoesBack,
    /// The entries of an activation are not counted through: one is missing, twice there, or moved.
    Sequence {
        /// Which activation.
        act: String,
        /// The number that should be there.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// An activation was closed with another count of entries than there are.
    Count {
        /// Which activation.
        act: String,
        /// How many there are.
        expected: u64,
        /// How many its closing says.
        found: u64,
    },
    /// A customer's activations are not counted through.
    Ordinal {
        /// Which customer.
        cust: String,
        /// The number that should be there.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// A disclosure's bytes do not have its digest.
    Disclosure,
    /// A disclosure of an entry that is not there.
    DisclosureOfNothing,
    /// The record is shorter than what was signed.
    Truncated {
        /// The checkpoint's file.
        from: String,
    },
    /// The record is not the one that was signed, and its hashes fit one another: all of them were made anew.
    Rewritten {
        /// The first checkpoint that does not hold.
        from: String,
    },
    /// The record is not the one of which somebody has the root on paper.
    PaperDiffers {
        /// The paper's file.
        from: String,
        /// The name on it.
        origin: Origin,
    },
    /// The signer vouched for two different records of one size.
    Equivocation {
        /// Where the two come from.
        from: [String; 2],
        /// Both notes.
        notes: Box<[String; 2]>,
    },
    /// A checkpoint is not truly signed.
    NotACheckpoint {
        /// Its file.
        from: String,
        /// Why.
        why: NotACheckpoint,
    },
    /// The store gave an error.
    Unreadable {
        /// What it said.
        why: String,
    },
    /// An older copy was restored, and a new name says so.
    Succeeded {
        /// The checkpoint's file.
        from: String,
        /// The entry that says so.
        said: u64,
    },
    /// A checkpoint of another name, for which no key was given.
    KeyUnknown {
        /// Its file.
        from: String,
        /// Its name.
        origin: Origin,
    },
    /// No checkpoint from outside covers these entries.
    NothingOutside,
}

impl Fault {
    /// How much it weighs.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Succeeded { .. } | Self::KeyUnknown { .. } | Self::NothingOutside => Severity::Known,
            Self::Altered
            | Self::LeafUnreadable
            | Self::Missing
            | Self::Extra { .. }
            | Self::NotAnEntry { .. }
            | Self::Column { .. }
            | Self::TimeGoesBack
            | Self::Sequence { .. }
            | Self::Count { .. }
            | Self::Ordinal { .. }
            | Self::Disclosure
            | Self::DisclosureOfNothing
            | Self::Truncated { .. }
            | Self::Rewritten { .. }
            | Self::PaperDiffers { .. }
            | Self::Equivocation { .. }
            | Self::NotACheckpoint { .. }
            | Self::Unreadable { .. } => Severity::Fault,
        }
    }

    /// A word for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::LeafUnreadable => "leaf_unreadable",
            Self::Missing => "missing",
            Self::Extra { .. } => "extra",
            Self::NotAnEntry { .. } => "not_an_entry",
            Self::Column { .. } => "column",
            Self::TimeGoesBack => "time_goes_back",
            Self::Sequence { .. } => "sequence",
            Self::Count { .. } => "count",
            Self::Ordinal { .. } => "ordinal",
            Self::Disclosure => "disclosure",
            Self::DisclosureOfNothing => "disclosure_of_nothing",
            Self::Truncated { .. } => "truncated",
            Self::Rewritten { .. } => "rewritten",
            Self::PaperDiffers { .. } => "paper_differs",
            Self::Equivocation { .. } => "equivocation",
            Self::NotACheckpoint { .. } => "not_a_checkpoint",
            Self::Unreadable { .. } => "unreadable",
            Self::Succeeded { .. } => "succeeded",
            Self::KeyUnknown { .. } => "key_unknown",
            Self::NothingOutside => "nothing_outside",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.places.end.saturating_sub(1);
        match self.places.end.saturating_sub(self.places.start) {
            0 => {}
            1 => write!(f, "entry {}: ", self.places.start)?,
            _ => write!(f, "entries {} to {last}: ", self.places.start)?,
        }
        match &self.fault {
            Fault::Altered => write!(f, "its bytes do not have the hash they were stored with; one of the two was altered"),
            Fault::LeafUnreadable => write!(f, "its stored hash is no hash"),
            Fault::Missing => write!(f, "missing, and later ones are there"),
            Fault::Extra { place } => write!(f, "a second entry claims place {place}, or the place is none"),
            Fault::NotAnEntry { why } => write!(f, "its bytes are no entry: {why}"),
            Fault::Column { column } => write!(f, "its column {column} does not say what its bytes say"),
            Fault::TimeGoesBack => write!(f, "it is not later than the one before it: it was moved, inserted or altered"),
            Fault::Sequence { act, expected, found } => {
                write!(f, "{act} goes on with its entry {found} where {expected} should be: one is missing, twice there or moved")
            }
            Fault::Count { act, expected, found } => write!(f, "{act} was closed as having {found} entries, and has {expected}"),
            Fault::Ordinal { cust, expected, found } => {
                write!(f, "the activations of {cust} go on with {found} where {expected} should be: one is missing, twice there or moved")
            }
            Fault::Disclosure => write!(f, "a private value of it does not have its digest; it was altered"),
            Fault::DisclosureOfNothing => write!(f, "a private value belongs to it, and it is not there"),
            Fault::Truncated { from } => write!(f, "cut off: {from} covers them, and the record ends before"),
            Fault::Rewritten { from } => {
                write!(f, "rewritten, with all hashes made anew: the record does not have the root that was signed in {from}")
            }
            Fault::PaperDiffers { from, origin } => write!(
                f,
                "the record does not have the root that stands in {from}, of {origin}: it was rewritten or cut off, or that is the paper of another record; nobody signed it, so it convicts nobody"
            ),
            Fault::Equivocation { from: [one, other], notes } => {
                let [first, second] = &**notes;
                write!(f, "the signer vouched for two different records of this size, in {one} and in {other}:\n{first}\n{second}")
            }
            Fault::NotACheckpoint { from, why } => write!(f, "{from} holds a checkpoint that proves nothing: {why}"),
            Fault::Unreadable { why } => write!(f, "the record could not be read to its end: {why}"),
            Fault::Succeeded { from, said } => {
                write!(f, "signed under an earlier name ({from}) and not here: an older copy was restored, as entry {said} says")
            }
            Fault::KeyUnknown { from, origin } => write!(f, "{from} is of {origin}, whose key was not given; it was not compared"),
            Fault::NothingOutside => {
                write!(
                    f,
                    "no checkpoint from outside covers them: whoever holds database, notes and key could have rewritten or cut them off"
                )
            }
        }?;
        self.since.as_ref().map_or(Ok(()), |since| write!(f, " (after {since})"))
    }
}
