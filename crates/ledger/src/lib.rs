//! THE RECORD: exact bytes in one sequence, the Merkle tree over them, what is proven from it, and the stores that keep both.
//!
//! Knows bytes, places, hashes and owners. It does not know what an entry means, has no clock and no randomness,
//! and decides nothing: who appends is told what became of it, and acts on that.

mod any;
mod appended;
mod audit;
mod batch;
mod begun;
mod bundle;
mod canonical;
mod checkpoint;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod copy;
mod dialect;
mod digest;
mod disclosure;
mod entry;
mod found;
mod key;
mod listing;
pub mod memory;
mod note;
mod open;
mod paper;
mod proof;
mod row;
mod signer;
mod signing_key;
mod sql;
mod stamp;
mod statement;
mod subtrees;
mod tlog_proof;
mod tree;
mod viewing;

use std::error::Error;
use std::future::Future;

pub use any::AnyLedger;
pub use audit::{Audit, Fault, Finding, Report as AuditReport, Severity, Witnessed};
pub use batch::{Batch, Sealed};
pub use begun::Begun;
pub use bundle::{
    Bundle, BundleFault, BundleFinding, BundleReport, Given, IDENTIFIER, NotAZip, Outside, Packed, Stamped, TooLarge, Withheld,
    verify_bundle,
};
pub use canonical::NotCanonical;
pub use checkpoint::{Checkpoint, NotACheckpoint};
pub use copy::CopyError;
pub use dialect::Dialect;
pub use digest::{Digest, NotADigest};
pub use disclosure::{Disclosure, NotADisclosure};
pub use entry::{Columns, EntryBody, NotAnEntry, Seq};
pub use key::{KeyId, NotAVerifyKey, NotAnOrigin, Origin, VerifyKey};
pub use listing::{Listing, ListingQuery, NotAListing};
pub use note::{NotANote, NotSigned, Signature, SignedNote};
pub use open::OpenError;
pub use paper::{NotAPaper, Paper};
pub use proof::{ConsistencyProof, InclusionProof, NotProven, TreeHead};
pub use signer::{Signer, SignerError, SigningKeys, given_away, notes};
pub use signing_key::{KeyFileError, SigningKey};
pub use sql::SqlLedger;
pub use sqlx::{Postgres, Sqlite};
pub use stamp::{NotAStamp, REPLY_MAX, Stamp, StampQuery};
pub use subtrees::{BLOCK, Blocks, CannotProve, Subtrees};
pub use tlog_proof::{NotATlogProof, TlogProof};
pub use tree::{Frontier, LeafHash, NotAFrontier, Root};
pub use viewing::ViewsQuery;

/// An append-only sequence of entries with what they disclose, and one projection beside it.
///
/// Every implementation passes the same suite (`conformance`, behind the feature of that name). The contract:
///
/// - **Append is a compare-and-swap.** A batch is written whole or not at all, and only where the record ends. Of two
///   writers who claim the same place one is `Fenced`.
/// - **Append is idempotent.** A batch that is already in the record, byte for byte at its place, is `Ok` again. So the
///   answer to `Unknown` is to append the same batch until the answer is another one; nothing else is safe.
/// - **Append may be dropped** while it waits, which leaves its outcome unknown like any other: append the same batch.
///   It sets itself no time limit. Who has one drops the future when it has passed, and appends the same batch again.
/// - **Reads see what was committed** before they began, in order of place, and never part of a batch.
pub trait Ledger: Send + Sync + 'static {
    /// Where the record ends, with the frontier of its tree.
    ///
    /// Reads every leaf hash (32 bytes an entry): for the start of a process, not for every append.
    fn head(&self) -> impl Future<Output = Result<Head, ReadError>> + Send;

    /// Appends a batch in one transaction.
    ///
    /// A batch without entries writes its listings, wherever the record ends: that is how they are rebuilt.
    fn append(&self, batch: &Batch) -> impl Future<Output = Result<(), AppendError>> + Send;

    /// At most `limit` entries from `from` on.
    fn entries(&self, from: Seq, limit: u32) -> impl Future<Output = Result<Vec<Entry>, ReadError>> + Send;

    /// At most `limit` leaf hashes from `from` on.
    fn leaves(&self, from: Seq, limit: u32) -> impl Future<Output = Result<Vec<LeafHash>, ReadError>> + Send {
        async move { Ok(self.entries(from, limit).await?.into_iter().map(|entry| entry.leaf).collect()) }
    }

    /// At most `limit` entries of one history from `from` on.
    fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> impl Future<Output = Result<Vec<Entry>, ReadError>> + Send;

    /// What the entries from `from` up to, and without, `to` disclose and what has not been erased; by place, then digest.
    fn disclosures(&self, from: Seq, to: Seq) -> impl Future<Output = Result<Vec<(Seq, Disclosure)>, ReadError>> + Send;

    /// One disclosure; `None` when it was erased or never was.
    fn disclosure(&self, digest: &Digest) -> impl Future<Output = Result<Option<Disclosure>, ReadError>> + Send;

    /// Listings, the newest opened first, then by key downwards.
    fn listings(&self, query: &ListingQuery) -> impl Future<Output = Result<Vec<Listing>, ReadError>> + Send;

    /// The entries that say who read the record, the newest first.
    fn views(&self, query: &ViewsQuery) -> impl Future<Output = Result<Vec<Entry>, ReadError>> + Send;

    /// The digests of everything that is said of somebody (`P-17`) and has not been erased; by digest.
    fn about(&self, subject: &str) -> impl Future<Output = Result<Vec<Digest>, ReadError>> + Send;

    /// Erases disclosures for good, all or none, and says how many of them were there. Entries and hashes stay.
    ///
    /// Once it is `Ok` no byte of them is in SQLite's file or its log; PostgreSQL keeps dead rows until it vacuums. Erasing what was
    /// erased changes nothing, so that the answer to an error is to erase again.
    fn erase(&self, digests: &[Digest]) -> impl Future<Output = Result<u64, ReadError>> + Send;

    /// Removes every listing, before they are written again from the record.
    fn clear_listings(&self) -> impl Future<Output = Result<(), ReadError>> + Send;
}

/// Where the record ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The tree's right edge: append leaf hashes here to know the root without reading again.
    pub frontier: Frontier,
}

impl Head {
    /// Entries in the record.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The place of the next entry.
    pub const fn next(&self) -> Seq {
        Seq::new(self.frontier.size())
    }

    /// The root over all entries.
    pub fn root(&self) -> Root {
        self.frontier.root()
    }
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// Its hash, which stays for ever.
    pub leaf: LeafHash,
    /// What it is found by, which stays too.
    pub columns: Columns,
    /// Its bytes; `None` once their retention has ended.
    pub body: Option<EntryBody>,
}

/// Where an error of a store comes from.
pub type Source = Box<dyn Error + Send + Sync>;

/// How an append ends when it does not end well.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer has this place, or the record does not reach up to it. Nothing of the batch was written.
    #[error(
        "entry {first} was refused: the record does not end there, so another writer has taken over; stop this one, and let a fresh start read the record"
    )]
    Fenced {
        /// The place the batch claimed.
        first: Seq,
    },
    /// Whether the batch was written cannot be known. Append the same batch again.
    #[error("whether entry {first} and those with it were written is unknown; the same bytes must be appended until it is known")]
    Unknown {
        /// The place the batch claimed.
        first: Seq,
        /// What the store said.
        #[source]
        source: Source,
    },
}

/// Why something could not be read (or, for the projection, cleared).
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer, or not with sense.
    #[error("could not {attempted}; check that the database answers and that its disk is not full")]
    Unavailable {
        /// What was attempted.
        attempted: &'static str,
        /// What the store said.
        #[source]
        source: Source,
    },
    /// The store answered with what was never written.
    #[error("{what} was altered in the store: {why}; keep a copy of the database as it is, and restore from a backup")]
    Damaged {
        /// Which entry or disclosure.
        what: String,
        /// How that shows.
        why: &'static str,
    },
}
