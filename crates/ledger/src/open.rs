//! Opening a store: connection settings that make a commit durable, and the tables it must have.
//!
//! Refuses, with the remedy, what it could only half trust. Reads and writes no entries.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Postgres, Sqlite};

use crate::dialect::Dialect;
use crate::sql::SqlLedger;

/// Readers beside the one writer of SQLite: constant readers keep its WAL from shrinking.
const SQLITE_READERS: u32 = 3;

/// Readers beside the one writer of PostgreSQL.
const POSTGRES_READERS: u32 = 4;

/// Readers of a record that is opened to read alone: an audit has one for entries, and one for disclosures.
const AUDITING_READERS: u32 = 2;

/// How long SQLite waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Rows that a reader of SQLite reads before somebody takes them: a page of a replay or an audit and its end, at one go, so that no look
/// at the file is left open. Handed over one by one they cost two threads a turn each.
const ROWS_AHEAD: usize = 1_024;

/// How long a reader waits for a free connection.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements each connection keeps, some 20 KB each at most. Each joined shape of a small append is one.
pub(crate) const STATEMENTS: usize = 128;

/// The table in which migrations are noted.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// Makes the file, where there is none, so that its owner alone can read it: it holds names and numbers. `SQLite` gives
/// the files beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one.
    #[error("the record's address is not understood: {why}; write sqlite:<file> or postgres://<user>@<host>/<database>")]
    Address {
        /// What is wrong with it. Never the address itself: it may hold a password.
        why: String,
    },
    /// No connection.
    #[error("could not open the record in {place}; check that it is there, that it may be read and written, and the user and password")]
    Unreachable {
        /// The file, or host and database.
        place: String,
        /// What the store said.
        #[source]
        source: sqlx::Error,
    },
    /// A migration this program does not have was applied.
    #[error("the record in {place} was written by a newer program (it has migration {version}); start that version or a later one")]
    Newer {
        /// The file, or host and database.
        place: String,
        /// The unknown migration's number.
        version: i64,
    },
    /// A migration differs from the one that was applied.
    #[error(
        "migration {version} of the record in {place} is not the one this program has; a released migration is never edited, so start the program that created this record, and upgrade from there"
    )]
    Changed {
        /// The file, or host and database.
        place: String,
        /// The migration's number.
        version: i64,
    },
    /// The tables could not be created or upgraded.
    #[error(
        "could not bring the tables of the record in {place} up to date; on PostgreSQL start once as the role that owns the tables, then run deploy/postgres.sql again"
    )]
    Migration {
        /// The file, or host and database.
        place: String,
        /// What the store said.
        #[source]
        source: MigrateError,
    },
    /// A commit would not be durable.
    #[error("the record in {place} would lose confirmed entries in a power cut: {setting} is {value:?}; set it to {remedy}")]
    NotDurable {
        /// The file, or host and database.
        place: String,
        /// The setting's name.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        remedy: &'static str,
    },
}

impl SqlLedger<Sqlite> {
    /// Opens a file, or creates it; its folder must exist.
    ///
    /// Journal in WAL with synchronous=FULL: a commit is on the disk before it is confirmed. What is deleted is overwritten.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let place = path.as_ref().display().to_string();
        make_private(path.as_ref()).map_err(|source| OpenError::Unreachable { place: place.clone(), source: sqlx::Error::Io(source) })?;
        let both = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let writer = both
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "on")
            // In KiB: what a burst of presses touches, so that no page is written before the commit and read again.
            .pragma("cache_size", "-6144")
            // The rows of an append pass through a table of their own; a large one would come to lie in a file elsewhere.
            .pragma("temp_store", "memory")
            // Without it INSERT OR REPLACE would slip past the triggers that refuse a deletion.
            .pragma("recursive_triggers", "on");
        let reader = both.read_only(true).row_buffer_size(ROWS_AHEAD);
        // Only now: a file that vanishes later must be an error, not an empty record.
        let mut first = connect::<Sqlite>(&writer.clone().create_if_missing(true), &place).await?;
        require::<Sqlite>(&mut first, &place, "SELECT journal_mode FROM pragma_journal_mode", "journal_mode", "wal").await?;
        upgrade::<Sqlite>(&mut first, &place).await?;
        // A file has no connection that could have died.
        let readers = PoolOptions::new().max_connections(SQLITE_READERS).acquire_timeout(READER_TIMEOUT).test_before_acquire(false);
        let ledger = Self::writing(first, writer, readers.connect_lazy_with(reader)).await;
        ledger.map_err(|source| OpenError::Unreachable { place, source })
    }

    /// Opens a file that is there, to read it alone: no table is made or brought up to date.
    pub async fn open_to_read(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let place = path.as_ref().display().to_string();
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).read_only(true).disable_statement_logging();
        let options = options.row_buffer_size(ROWS_AHEAD);
        let readers = PoolOptions::new().max_connections(AUDITING_READERS).acquire_timeout(READER_TIMEOUT).test_before_acquire(false);
        let readers = readers.connect_with(options.clone()).await.map_err(|source| OpenError::Unreachable { place, source })?;
        Ok(Self::reading(options, readers))
    }
}

impl SqlLedger<Postgres> {
    /// Connects to a database by `postgres://user@host/database`.
    ///
    /// The password comes from the address, or from the file that `PGPASSFILE` names. Each session asks for
    /// synchronous commits, and gets them or is refused.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| OpenError::Address { why: error.to_string() })?
            .application_name("cooee")
            .options([("synchronous_commit", "on")])
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let database = options.get_database().unwrap_or(options.get_username());
        let place = format!("PostgreSQL {}:{}/{database}", options.get_host(), options.get_port());
        let mut first = connect::<Postgres>(&options, &place).await?;
        let setting = "SELECT current_setting('synchronous_commit')";
        require::<Postgres>(&mut first, &place, setting, "synchronous_commit", "on").await?;
        upgrade::<Postgres>(&mut first, &place).await?;
        let readers = PoolOptions::new().max_connections(POSTGRES_READERS).acquire_timeout(READER_TIMEOUT);
        let ledger = Self::writing(first, options.clone(), readers.connect_lazy_with(options)).await;
        ledger.map_err(|source| OpenError::Unreachable { place, source })
    }
}

impl SqlLedger<Postgres> {
    /// Connects to a database that is there, to read it alone: no table is made or brought up to date.
    pub async fn connect_to_read(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| OpenError::Address { why: error.to_string() })?
            .application_name("cooee verify")
            .options([("default_transaction_read_only", "on")])
            .disable_statement_logging();
        let place = format!("PostgreSQL {}:{}", options.get_host(), options.get_port());
        let readers = PoolOptions::new().max_connections(AUDITING_READERS).acquire_timeout(READER_TIMEOUT);
        let readers = readers.connect_with(options.clone()).await.map_err(|source| OpenError::Unreachable { place, source })?;
        Ok(Self::reading(options, readers))
    }
}

async fn connect<DB: Dialect>(options: &<DB::Connection as Connection>::Options, place: &str) -> Result<DB::Connection, OpenError> {
    options.connect().await.map_err(|source| OpenError::Unreachable { place: place.to_owned(), source })
}

/// Asks for a setting, and refuses any other value.
async fn require<DB: Dialect>(
    connection: &mut DB::Connection,
    place: &str,
    sql: &'static str,
    setting: &'static str,
    wanted: &'static str,
) -> Result<(), OpenError> {
    let unreachable = |source| OpenError::Unreachable { place: place.to_owned(), source };
    let rows = DB::fetch(connection, sql.into(), DB::Arguments::default()).await.map_err(unreachable)?;
    let value = rows.first().map(|row| DB::text(row, 0)).transpose().map_err(unreachable)?.unwrap_or_default();
    if value == wanted {
        return Ok(());
    }
    Err(OpenError::NotDurable { place: place.to_owned(), setting, value, remedy: wanted })
}

/// Applies what migrations are missing.
///
/// Looks first and creates nothing when all are there, so that the service can run as a role that may create nothing.
async fn upgrade<DB: Dialect>(connection: &mut DB::Connection, place: &str) -> Result<(), OpenError> {
    if is_current::<DB>(connection).await {
        return Ok(());
    }
    let place = place.to_owned();
    let Err(error) = DB::migrations().run_direct(None, connection, false).await else {
        return Ok(());
    };
    Err(if let MigrateError::VersionMissing(version) = error {
        OpenError::Newer { place, version }
    } else if let MigrateError::VersionMismatch(version) = error {
        OpenError::Changed { place, version }
    } else {
        OpenError::Migration { place, source: error }
    })
}

/// Whether exactly our migrations were applied. A table that cannot be read says no, and the attempt says why.
async fn is_current<DB: Dialect>(connection: &mut DB::Connection) -> bool {
    let Ok(applied) = connection.list_applied_migrations(MIGRATIONS_TABLE).await else {
        return false;
    };
    let ours = DB::migrations().iter().map(|migration| (migration.version, &migration.checksum));
    applied.iter().map(|migration| (migration.version, &migration.checksum)).eq(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnyLedger, Ledger};

    /// Opens a record, lets `spoil` change its list of migrations, and opens it again.
    async fn reopened(folder: &Path, spoil: &'static str) -> Result<SqlLedger<Sqlite>, OpenError> {
        let file = folder.join("record.db");
        let ledger = SqlLedger::<Sqlite>::open(&file).await.expect("opens");
        ledger.tamper(spoil).await.expect("no table of ours");
        drop(ledger);
        SqlLedger::<Sqlite>::open(&file).await
    }

    #[tokio::test]
    async fn a_record_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)";
        let error = reopened(folder.path(), newer).await.expect_err("refused");
        assert!(matches!(error, OpenError::Newer { version: 9999, .. }), "{error}");
        assert!(error.to_string().contains("start that version or a later one"), "{error}");
    }

    #[tokio::test]
    async fn an_edited_migration_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = reopened(folder.path(), "UPDATE _sqlx_migrations SET checksum = x'00'").await.expect_err("refused");
        assert!(matches!(error, OpenError::Changed { version: 1, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_record_is_there_when_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(reopened(folder.path(), "ANALYZE").await.expect("opens").head().await.expect("reads").size(), 0);
    }

    /// As every record of a station is that ran a version from before readers were noted.
    #[tokio::test]
    async fn a_record_with_the_first_migration_alone_is_brought_up_to_date_with_what_it_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("record.db");
        let ledger = SqlLedger::<Sqlite>::open(&file).await.expect("opens");
        let mut batch = crate::Batch::new(crate::Seq::FIRST);
        for (n, kind) in ["note.added", "record.viewed", "note.added"].into_iter().enumerate() {
            let entry = serde_json::json!({ "type": kind, "t": "2026-11-21T02:14:00.000000Z", "nonce": format!("{n:032x}") });
            batch.push(crate::EntryBody::write(&entry).expect("an entry"), Vec::new());
        }
        ledger.append(&batch).await.expect("appended");
        for undone in ["DROP INDEX entry_viewed_by_cust", "DROP INDEX entry_viewed", "DELETE FROM _sqlx_migrations WHERE version > 1"] {
            ledger.tamper(undone).await.expect("was there");
        }
        drop(ledger);
        let ledger = SqlLedger::<Sqlite>::open(&file).await.expect("opens");
        assert_eq!(ledger.head().await.expect("reads").size(), 3);
        let views = ledger.views(&crate::ViewsQuery { limit: 9, ..Default::default() }).await.expect("reads");
        assert_eq!(views.iter().map(|entry| entry.seq.index()).collect::<Vec<_>>(), [1]);
        let indexes = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE name LIKE 'entry_viewed%' ORDER BY name)";
        assert_eq!(ledger.settings(indexes).await, "entry_viewed,entry_viewed_by_cust");
    }

    #[tokio::test]
    async fn an_address_says_which_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = AnyLedger::open("sqlite:cooee.db", folder.path()).await.expect("opens");
        assert!(matches!(opened, AnyLedger::Sqlite(_)));
        assert!(folder.path().join("cooee.db").exists());
        for wrong in ["cooee.db", "sqlite:", "sqlite://cooee.db", "sqlite:cooee.db?mode=ro", "mysql://secret@host/x"] {
            let error = AnyLedger::open(wrong, folder.path()).await.expect_err("refused").to_string();
            assert!(error.contains("sqlite:<file>") && !error.contains("secret"), "{error}");
        }
        let missing = AnyLedger::open("sqlite:no/such/folder.db", folder.path()).await.expect_err("refused");
        assert!(matches!(missing, OpenError::Unreachable { .. }), "{missing}");
    }

    #[tokio::test]
    async fn no_byte_of_what_was_erased_is_in_the_file_or_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqlLedger::<Sqlite>::open(folder.path().join("record.db")).await.expect("opens");
        let value = |n: u64, whose: &str| format!("{whose} said {n} {}", "at length ".repeat(usize::try_from(n % 7).expect("small") * 90));
        let mut digests = Vec::new();
        for n in 0..300_u64 {
            let mut batch = crate::Batch::new(crate::Seq::new(n));
            let entry = serde_json::json!({ "type": "note.added", "t": "2026-11-21T02:14:00.000000Z", "nonce": format!("{n:032x}") });
            let seal =
                |salt: u64, whose| crate::Disclosure::seal("", u128::from(salt).to_be_bytes(), "note", &value(n, whose)).expect("sealed");
            let (gone, kept) = (seal(2 * n, "Zebedee"), seal(2 * n + 1, "Florence"));
            digests.push(gone.digest());
            batch.push(crate::EntryBody::write(&entry).expect("an entry"), vec![gone, kept]);
            ledger.append(&batch).await.expect("appended");
        }
        let held = |word: &str| {
            let files = std::fs::read_dir(folder.path())
                .expect("the folder")
                .map(|file| std::fs::read(file.expect("a file").path()).expect("read"));
            files.map(|bytes| bytes.windows(word.len()).filter(|part| *part == word.as_bytes()).count()).sum::<usize>()
        };
        assert!(held("Zebedee") >= 300 && held("Florence") >= 300, "they were there to be found");
        assert_eq!(ledger.erase(&digests).await.expect("erased"), 300);
        assert_eq!(held("Zebedee"), 0);
        assert!(held("Florence") >= 300);
    }

    #[tokio::test]
    async fn a_commit_is_durable_what_is_deleted_is_gone_and_nothing_lies_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqlLedger::<Sqlite>::open(folder.path().join("record.db")).await.expect("opens");
        let settings = ledger
            .settings(
                "SELECT j.journal_mode || ' ' || s.synchronous || ' ' || d.secure_delete || ' ' || t.temp_store \
            FROM pragma_journal_mode j, pragma_synchronous s, pragma_secure_delete d, pragma_temp_store t",
            )
            .await;
        assert_eq!(settings, "wal 2 1 2");
    }
}
