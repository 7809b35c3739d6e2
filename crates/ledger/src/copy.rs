//! A whole copy of a record in a file of its own, taken while others write to it.
//!
//! What a copy is worth, an audit of it says. This only takes it, and never over anything that is there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::{Arguments as _, Sqlite};

use crate::any::AnyLedger;
use crate::dialect::Dialect as _;
use crate::sql::SqlLedger;

/// One statement, and so one moment of the record. It reads alone: whoever appends is not held up, and what was deleted
/// is not in the copy, not even in free pages.
const COPY: &str = "VACUUM INTO ?";

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file could not be made, or not be kept.
    #[error("could not {attempted} the copy {path}; it must not be there yet, and its folder must be ours to write to")]
    File {
        /// `make` or `keep`.
        attempted: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The record could not be copied.
    #[error("could not copy the record into {path}; check that the record can be read and that there is room for it")]
    Store {
        /// To where.
        path: PathBuf,
        /// What the store said.
        #[source]
        source: sqlx::Error,
    },
    /// The record is on a server.
    #[error("a record on PostgreSQL is copied by PostgreSQL's own tools; run  pg_dump  for it, and  cooee verify  on what it restores")]
    OnAServer,
}

impl SqlLedger<Sqlite> {
    /// Copies the record as it is at one moment into a new file, for its owner alone. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`CopyError`]. A file that was begun is then left behind.
    pub async fn copy_to(&self, path: &Path) -> Result<(), CopyError> {
        let file = |attempted| move |source| CopyError::File { attempted, path: path.to_owned(), source };
        // SQLite takes an empty file as none, and would make one that its user's group can read.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file("make"))?;
        self.vacuum_into(path).await.map_err(|source| CopyError::Store { path: path.to_owned(), source })?;
        File::open(path).and_then(|copy| copy.sync_all()).map_err(file("keep"))
    }

    async fn vacuum_into(&self, path: &Path) -> Result<(), sqlx::Error> {
        let no_text = || sqlx::Error::Encode("the path of the copy is no text".into());
        let mut arguments = <Sqlite as sqlx::Database>::Arguments::default();
        arguments.add(path.to_str().ok_or_else(no_text)?).map_err(sqlx::Error::Encode)?;
        let mut connection = self.reader().await?;
        Sqlite::execute(&mut connection, COPY.into(), arguments).await
    }
}

impl AnyLedger {
    /// Copies a record in a file: see [`SqlLedger::copy_to`].
    ///
    /// # Errors
    /// [`CopyError`].
    pub async fn copy_to(&self, path: &Path) -> Result<(), CopyError> {
        match self {
            Self::Sqlite(ledger) => ledger.copy_to(path).await,
            Self::Postgres(_) => Err(CopyError::OnAServer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::conformance::batch;
    use crate::{Ledger as _, Seq};

    #[tokio::test]
    async fn a_copy_is_whole_while_entries_are_appended_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("record.db");
        let record = SqlLedger::<Sqlite>::open(&from).await.expect("opens");
        record.append(&batch(Seq::FIRST, 300)).await.expect("appended");
        let reading = SqlLedger::<Sqlite>::open_to_read(&from).await.expect("opens");
        let path = folder.path().join("copy.db");
        let appending = async {
            for at in 300..400 {
                record.append(&batch(Seq::new(at), 1)).await.expect("appended");
            }
        };
        let (copied, ()) = tokio::join!(reading.copy_to(&path), appending);
        copied.expect("copied");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let copy = SqlLedger::<Sqlite>::open_to_read(&path).await.expect("opens");
        let end = Seq::new(copy.head().await.expect("no gap").size());
        assert!((300..=400).contains(&end.index()), "{end}");
        let before = |mut entries: Vec<crate::Entry>| {
            entries.retain(|entry| entry.seq < end);
            entries
        };
        assert_eq!(copy.entries(Seq::FIRST, 400).await.expect("read"), before(record.entries(Seq::FIRST, 400).await.expect("read")));
        let disclosed = copy.disclosures(Seq::FIRST, end).await.expect("read");
        assert_eq!(disclosed, record.disclosures(Seq::FIRST, end).await.expect("read"));
        assert!(matches!(reading.copy_to(&path).await, Err(CopyError::File { attempted: "make", .. })), "never over anything");
    }
}
