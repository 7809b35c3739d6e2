//! The store that an address names, chosen when the program starts.
//!
//! Adds nothing to the two stores it holds.

use std::path::Path;

use sqlx::{Postgres, Sqlite};

use crate::audit::Audit;
use crate::key::VerifyKey;
use crate::open::OpenError;
use crate::sql::SqlLedger;
use crate::{AppendError, Batch, Digest, Disclosure, Entry, Head, LeafHash, Ledger, Listing, ListingQuery, ReadError, Seq, ViewsQuery};

/// Hands a call to whichever store it is.
macro_rules! either {
    ($self:ident, $ledger:ident => $call:expr) => {
        match $self {
            AnyLedger::Sqlite($ledger) => $call.await,
            AnyLedger::Postgres($ledger) => $call.await,
        }
    };
}

/// A record in one of the databases we know.
#[derive(Debug)]
pub enum AnyLedger {
    /// In a file.
    Sqlite(SqlLedger<Sqlite>),
    /// On a server.
    Postgres(SqlLedger<Postgres>),
}

impl AnyLedger {
    /// Opens `sqlite:<file>`, a file in `data_dir` unless its path is absolute, or `postgres://<user>@<host>/<database>`.
    pub async fn open(address: &str, data_dir: &Path) -> Result<Self, OpenError> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return SqlLedger::<Postgres>::connect(address).await.map(Self::Postgres);
        }
        match address.strip_prefix("sqlite:") {
            Some(file) if !file.is_empty() && !file.contains('?') && !file.starts_with("//") => {
                SqlLedger::<Sqlite>::open(data_dir.join(file)).await.map(Self::Sqlite)
            }
            Some(_) => Err(OpenError::Address { why: "after sqlite: comes the path of a file and nothing else".to_owned() }),
            None => Err(OpenError::Address { why: "it begins with neither sqlite: nor postgres://".to_owned() }),
        }
    }

    /// The same to read it alone: no file or table is made, and nothing is brought up to date.
    pub async fn open_to_read(address: &str, data_dir: &Path) -> Result<Self, OpenError> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return SqlLedger::<Postgres>::connect_to_read(address).await.map(Self::Postgres);
        }
        match address.strip_prefix("sqlite:") {
            Some(file) => SqlLedger::<Sqlite>::open_to_read(data_dir.join(file)).await.map(Self::Sqlite),
            None => Err(OpenError::Address { why: "it begins with neither sqlite: nor postgres://".to_owned() }),
        }
    }

    /// Shows an audit everything that is there. What cannot be read is a finding too.
    pub async fn audit(&self, audit: &mut Audit) {
        either!(self, ledger => ledger.audit(audit));
    }

    /// The keys that the record itself says sign it. They are as good as the record.
    pub async fn signing_keys(&self) -> Vec<VerifyKey> {
        either!(self, ledger => ledger.signing_keys())
    }
}

impl Ledger for AnyLedger {
    async fn head(&self) -> Result<Head, ReadError> {
        either!(self, ledger => ledger.head())
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        either!(self, ledger => ledger.append(batch))
    }

    async fn entries(&self, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        either!(self, ledger => ledger.entries(from, limit))
    }

    async fn leaves(&self, from: Seq, limit: u32) -> Result<Vec<LeafHash>, ReadError> {
        either!(self, ledger => ledger.leaves(from, limit))
    }

    async fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        either!(self, ledger => ledger.by_stream(stream, from, limit))
    }

    async fn disclosures(&self, from: Seq, to: Seq) -> Result<Vec<(Seq, Disclosure)>, ReadError> {
        either!(self, ledger => ledger.disclosures(from, to))
    }

    async fn disclosure(&self, digest: &Digest) -> Result<Option<Disclosure>, ReadError> {
        either!(self, ledger => ledger.disclosure(digest))
    }

    async fn listings(&self, query: &ListingQuery) -> Result<Vec<Listing>, ReadError> {
        either!(self, ledger => ledger.listings(query))
    }

    async fn views(&self, query: &ViewsQuery) -> Result<Vec<Entry>, ReadError> {
        either!(self, ledger => ledger.views(query))
    }

    async fn about(&self, subject: &str) -> Result<Vec<Digest>, ReadError> {
        either!(self, ledger => ledger.about(subject))
    }

    async fn erase(&self, digests: &[Digest]) -> Result<u64, ReadError> {
        either!(self, ledger => ledger.erase(digests))
    }

    async fn clear_listings(&self) -> Result<(), ReadError> {
        either!(self, ledger => ledger.clear_listings())
    }
}
