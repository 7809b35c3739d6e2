//! Where SQLite and PostgreSQL differ, and how values pass in and out; everything else is shared text.
//!
//! No table is named here and nothing is decided: see `statement` and `sql`.

use std::borrow::Cow;
use std::future::Future;
use std::sync::{Arc, LazyLock};

use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Database, Postgres, Row as _, SqlSafeStr as _, Sqlite};

use crate::appended;
use crate::entry::Seq;
use crate::statement::Piece;

/// A value for a placeholder. There are no other types in any table.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(&'a str),
    /// BYTEA or BLOB.
    Bytes(&'a [u8]),
}

impl Param<'_> {
    /// A place in the record. No record reaches 2^63 entries, so a place beyond is one where nothing is.
    pub(crate) fn place(seq: Seq) -> Self {
        Self::Integer(i64::try_from(seq.index()).unwrap_or(i64::MAX))
    }
}

/// What a database must bring to hold a record.
pub trait Dialect: Database<Connection: Migrate> {
    /// The migrations of this database.
    fn migrations() -> &'static Migrator;

    /// Begins a transaction that may write.
    const BEGIN: &'static str;

    /// What a connection that writes runs before anything else.
    const OPENING: Option<&'static str>;

    /// How an insertion begins; its table's name follows.
    const INSERT: &'static str;

    /// What makes the log forget what was deleted, and says in its first column whether it could not; `None` where that is the
    /// database's own affair.
    const FORGET: Option<&'static str>;

    /// The placeholder of the parameter with this number, counted from 1 through all of a text.
    fn placeholder(number: usize) -> Cow<'static, str>;

    /// One statement that writes all of these pieces, whose parameters are numbered through. It is a transaction by itself.
    fn together(pieces: &[Piece]) -> String;

    /// Adds the value of the next placeholder.
    fn bind(arguments: &mut Self::Arguments, param: Param<'_>) -> Result<(), sqlx::Error>;

    /// Runs a prepared statement that gives no rows.
    fn execute(
        connection: &mut Self::Connection,
        sql: Arc<str>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Runs a prepared statement and gives its rows.
    fn fetch(
        connection: &mut Self::Connection,
        sql: Arc<str>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Runs a statement without parameters.
    fn run(connection: &mut Self::Connection, sql: &'static str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// A BIGINT of a row.
    fn integer(row: &Self::Row, column: usize) -> Result<i64, sqlx::Error>;

    /// A TEXT of a row.
    fn text(row: &Self::Row, column: usize) -> Result<String, sqlx::Error>;

    /// A BYTEA or BLOB of a row; `None` for NULL.
    fn bytes(row: &Self::Row, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

/// The passing of values, which reads the same for both but can only be written for a concrete database: the bounds
/// that would make it generic are not implied by a trait and would be repeated wherever it is used.
macro_rules! passing {
    () => {
        fn bind(arguments: &mut Self::Arguments, param: Param<'_>) -> Result<(), sqlx::Error> {
            use sqlx::Arguments as _;
            match param {
                Param::Integer(value) => arguments.add(value),
                Param::Text(value) => arguments.add(value),
                Param::Bytes(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)
        }

        async fn execute(connection: &mut Self::Connection, sql: Arc<str>, arguments: Self::Arguments) -> Result<(), sqlx::Error> {
            sqlx::query_with(AssertSqlSafe(sql), arguments).execute(connection).await.map(drop)
        }

        async fn fetch(
            connection: &mut Self::Connection,
            sql: Arc<str>,
            arguments: Self::Arguments,
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await
        }

        async fn run(connection: &mut Self::Connection, sql: &'static str) -> Result<(), sqlx::Error> {
            sqlx::raw_sql(sql).execute(connection).await.map(drop)
        }

        fn integer(row: &Self::Row, column: usize) -> Result<i64, sqlx::Error> {
            row.try_get(column)
        }

        fn text(row: &Self::Row, column: usize) -> Result<String, sqlx::Error> {
            row.try_get(column)
        }

        fn bytes(row: &Self::Row, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
            row.try_get(column)
        }
    };
}

/// A migration as it is listed here: its number, what it is for, its text.
type Listed = (i64, &'static str, &'static str);

/// By hand, one line a file: the macro of `sqlx` that reads the folder would have the whole of it, both databases and TLS
/// too, built a second time for the compiler. A test compares the lists with the folders.
const SQLITE_MIGRATIONS: &[Listed] = &[
    (1, "record", include_str!("../migrations/sqlite/0001_record.sql")),
    (2, "views", include_str!("../migrations/sqlite/0002_views.sql")),
    (3, "samples", include_str!("../migrations/sqlite/0003_samples.sql")),
];
const POSTGRES_MIGRATIONS: &[Listed] = &[
    (1, "record", include_str!("../migrations/postgres/0001_record.sql")),
    (2, "views", include_str!("../migrations/postgres/0002_views.sql")),
    (3, "samples", include_str!("../migrations/postgres/0003_samples.sql")),
];

fn migrator(listed: &[Listed]) -> Migrator {
    let migration = |&(number, what, sql): &Listed| Migration::new(number, what.into(), MigrationType::Simple, sql.into_sql_str(), false);
    Migrator::with_migrations(listed.iter().map(migration).collect())
}

impl Dialect for Sqlite {
    fn migrations() -> &'static Migrator {
        static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE_MIGRATIONS));
        &MIGRATIONS
    }

    // Takes the write lock at once: a transaction that reads first and then wants it fails under contention.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    const OPENING: Option<&'static str> = Some(appended::OPENING);

    // Whatever fails ends the whole transaction, as it must. The default undoes the one statement alone, for which SQLite
    // copies every page that a statement of many rows touches.
    const INSERT: &'static str = "INSERT OR ROLLBACK INTO";

    // What is deleted is overwritten (`secure_delete`), but the log has the page as it was until it is cut to nothing.
    const FORGET: Option<&'static str> = Some("PRAGMA wal_checkpoint(TRUNCATE)");

    /// Without a number, and so in the order of the text: SQLite looks numbered ones up one by one in a list of all of
    /// them, so that the cost of binding would grow with the square of their number.
    fn placeholder(_number: usize) -> Cow<'static, str> {
        "?".into()
    }

    fn together(pieces: &[Piece]) -> String {
        appended::text::<Self>(pieces)
    }

    passing!();
}

impl Dialect for Postgres {
    fn migrations() -> &'static Migrator {
        static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES_MIGRATIONS));
        &MIGRATIONS
    }

    const BEGIN: &'static str = "BEGIN";

    const OPENING: Option<&'static str> = None;

    const INSERT: &'static str = "INSERT INTO";

    const FORGET: Option<&'static str> = None;

    fn placeholder(number: usize) -> Cow<'static, str> {
        format!("${number}").into()
    }

    /// All but the last as CTEs: a prepared statement of PostgreSQL is a single one, and this is one round trip.
    fn together(pieces: &[Piece]) -> String {
        let mut before = 0;
        let mut statements = Vec::new();
        for piece in pieces {
            statements.push(piece.text::<Self>(before));
            before += piece.params();
        }
        let Some((last, others)) = statements.split_last() else {
            return String::new();
        };
        let ctes: Vec<_> = others.iter().enumerate().map(|(i, sql)| format!("part{i} AS ({sql})")).collect();
        if ctes.is_empty() { last.clone() } else { format!("WITH {} {last}", ctes.join(", ")) }
    }

    passing!();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file of the folder, as it would have to be listed.
    fn files(folder: &str) -> Vec<(i64, String, String)> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let listed = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let (number, what) = name.split_once('_').unwrap();
            (number.parse().unwrap(), what.replace('_', " "), std::fs::read_to_string(path).unwrap())
        };
        files.iter().map(listed).collect()
    }

    #[test]
    fn every_migration_is_listed() {
        let owned =
            |listed: &[Listed]| listed.iter().map(|&(number, what, sql)| (number, what.to_owned(), sql.to_owned())).collect::<Vec<_>>();
        assert_eq!(owned(SQLITE_MIGRATIONS), files("sqlite"));
        assert_eq!(owned(POSTGRES_MIGRATIONS), files("postgres"));
    }
}
