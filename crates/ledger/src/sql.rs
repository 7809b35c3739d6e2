//! The record in an SQL database: one connection that writes, a few beside it that read.
//!
//! The same text for SQLite and PostgreSQL; what differs is `dialect`. Decides nothing about entries, and never
//! changes one: the tables refuse that.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::Arc;

use sqlx::error::ErrorKind;
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, Pool};
use tokio::sync::Mutex;

use crate::batch::Batch;
use crate::dialect::{Dialect, Param};
use crate::digest::Digest;
use crate::disclosure::Disclosure;
use crate::entry::Seq;
use crate::listing::{Listing, ListingQuery};
use crate::open::STATEMENTS;
use crate::row::{self, ERASE, READ_DISCLOSURES, READ_ENTRIES, READ_LISTINGS, damaged_entry, unavailable};
use crate::statement::{self, Piece, Plan};
use crate::tree::{Frontier, LeafHash};
use crate::viewing::{VIEWED, ViewsQuery};
use crate::{AppendError, Entry, Head, Ledger, ReadError};

/// Texts kept; when there are more, all are forgotten and written anew.
const TEXTS: usize = STATEMENTS;

/// Disclosures that one statement deletes.
const ERASED_AT_ONCE: usize = 500;

/// Leaf hashes read at once when the head is computed.
const HEAD_PAGE: u32 = 4096;

/// A record in the database `DB`. Open one with `SqlLedger::<Sqlite>::open` or `SqlLedger::<Postgres>::connect`.
pub struct SqlLedger<DB: Dialect> {
    options: <DB::Connection as Connection>::Options,
    writer: Mutex<Writer<DB>>,
    readers: Pool<DB>,
}

/// The writing side.
struct Writer<DB: Dialect> {
    /// Taken out for the time of an append. If that fails or is dropped, the connection is dropped, and with it
    /// whatever transaction it had open; the next append opens another one.
    connection: Option<DB::Connection>,
    /// The texts in use, so that each is written once.
    texts: BTreeMap<(Scope, Vec<Piece>), Arc<str>>,
}

impl<DB: Dialect> fmt::Debug for SqlLedger<DB> {
    /// Which database, and nothing of its address: that may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlLedger").field(&DB::NAME).finish()
    }
}

impl<DB: Dialect> SqlLedger<DB> {
    /// Without a connection that writes.
    pub(crate) fn reading(options: <DB::Connection as Connection>::Options, readers: Pool<DB>) -> Self {
        Self { options, writer: Mutex::new(Writer { connection: None, texts: BTreeMap::new() }), readers }
    }

    /// With a connection that writes, to tables that are there.
    pub(crate) async fn writing(
        mut connection: DB::Connection,
        options: <DB::Connection as Connection>::Options,
        readers: Pool<DB>,
    ) -> Result<Self, sqlx::Error> {
        begin_to_write::<DB>(&mut connection).await?;
        let writer = Writer { connection: Some(connection), texts: BTreeMap::new() };
        Ok(Self { options, writer: Mutex::new(writer), readers })
    }

    /// Runs what `write` does on the writing connection, which survives only if that succeeds.
    async fn write(&self, batch: &Batch) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut connection = match writer.connection.take() {
            Some(connection) => connection,
            None => self.another().await?,
        };
        writer.write(&mut connection, batch).await?;
        writer.connection = Some(connection);
        Ok(())
    }

    async fn another(&self) -> Result<DB::Connection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        begin_to_write::<DB>(&mut connection).await?;
        Ok(connection)
    }

    /// Whether the record holds exactly this batch's entries at their places.
    async fn holds(&self, batch: &Batch) -> Result<bool, sqlx::Error> {
        let sql = "SELECT seq, leaf_hash FROM entry WHERE seq >= $1 AND seq < $2 ORDER BY seq";
        let rows = self.fetch(sql, &[Param::place(batch.first()), Param::place(batch.next())]).await?;
        if rows.len() != batch.entries().len() {
            return Ok(false);
        }
        for (row, sealed) in rows.iter().zip(batch.entries()) {
            if DB::bytes(row, 1)?.as_deref() != Some(sealed.body.leaf_bytes()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A connection that only reads, for what is more than a query.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<DB>, sqlx::Error> {
        self.readers.acquire().await
    }

    pub(crate) async fn fetch(&self, sql: impl Into<Arc<str>>, params: &[Param<'_>]) -> Result<Vec<DB::Row>, sqlx::Error> {
        let mut connection = self.readers.acquire().await?;
        DB::fetch(&mut connection, sql.into(), arguments::<DB>(params)?).await
    }

    async fn read(&self, attempted: &'static str, sql: impl Into<Arc<str>>, params: &[Param<'_>]) -> Result<Vec<DB::Row>, ReadError> {
        self.fetch(sql, params).await.map_err(unavailable(attempted))
    }

    /// Goes around the ledger, as somebody with a database shell would: for the suite to see what the tables refuse.
    #[cfg(any(test, feature = "conformance"))]
    pub(crate) async fn tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        let mut connection = self.options.connect().await?;
        DB::run(&mut connection, sql).await?;
        connection.close().await
    }

    /// What the writing connection has set, as one text.
    #[cfg(test)]
    pub(crate) async fn settings(&self, sql: &'static str) -> String {
        let mut writer = self.writer.lock().await;
        let connection = writer.connection.as_mut().expect("connected");
        let rows = DB::fetch(connection, sql.into(), DB::Arguments::default()).await.expect("answers");
        DB::text(&rows[0], 0).expect("a text")
    }

    /// Deletes disclosures in one transaction and has the log forget them; says how many there were.
    ///
    /// On a connection of its own, so that an append waits for nothing but the database's own lock.
    async fn delete(&self, digests: &[Digest]) -> Result<u64, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let mut erased = 0;
        DB::run(&mut connection, DB::BEGIN).await?;
        for chunk in digests.chunks(ERASED_AT_ONCE) {
            let places: Vec<_> = (1..=chunk.len()).map(DB::placeholder).collect();
            let sql = format!("DELETE FROM disclosure WHERE digest IN ({}) RETURNING seq", places.join(", "));
            let params: Vec<_> = chunk.iter().map(|digest| Param::Bytes(digest.as_bytes())).collect();
            erased += DB::fetch(&mut connection, sql.into(), arguments::<DB>(&params)?).await?.len();
        }
        DB::run(&mut connection, "COMMIT").await?;
        if let Some(sql) = DB::FORGET {
            let rows = DB::fetch(&mut connection, sql.into(), DB::Arguments::default()).await?;
            let kept = rows.first().map(|row| DB::integer(row, 0)).transpose()?;
            if kept != Some(0) {
                return Err(sqlx::Error::Protocol("what was deleted is still in the log, because somebody reads it".to_owned()));
            }
        }
        connection.close().await?;
        Ok(u64::try_from(erased).unwrap_or(u64::MAX))
    }

    async fn read_entries(&self, matching: impl Display, params: &[Param<'_>]) -> Result<Vec<Entry>, ReadError> {
        let sql = format!("{SELECT_ENTRY} {matching}");
        self.read(READ_ENTRIES, sql, params).await?.iter().map(row::entry::<DB>).collect()
    }
}

impl<DB: Dialect> Writer<DB> {
    async fn write(&mut self, connection: &mut DB::Connection, batch: &Batch) -> Result<(), sqlx::Error> {
        let params = statement::params(batch);
        let pieces = match statement::plan(batch) {
            Plan::Together(pieces) => {
                let sql = self.text(Scope::Whole, pieces);
                return DB::execute(connection, sql, arguments::<DB>(&params)?).await;
            }
            Plan::InTurn(pieces) => pieces,
        };
        DB::run(connection, DB::BEGIN).await?;
        let mut rest = params.as_slice();
        for piece in pieces {
            let (here, after) = rest.split_at_checked(piece.params()).unwrap_or((rest, &[]));
            let sql = self.text(Scope::Part, vec![piece]);
            DB::execute(connection, sql, arguments::<DB>(here)?).await?;
            rest = after;
        }
        DB::run(connection, "COMMIT").await
    }

    /// The text of these pieces: a transaction by itself, or the one piece of a transaction that was begun.
    fn text(&mut self, scope: Scope, pieces: Vec<Piece>) -> Arc<str> {
        let key = (scope, pieces);
        if let Some(text) = self.texts.get(&key) {
            return Arc::clone(text);
        }
        let text: Arc<str> = match scope {
            Scope::Part => key.1.iter().map(|piece| piece.text::<DB>(0)).collect::<String>().into(),
            Scope::Whole => DB::together(&key.1).into(),
        };
        if self.texts.len() >= TEXTS {
            self.texts.clear();
        }
        self.texts.insert(key, Arc::clone(&text));
        text
    }
}

async fn begin_to_write<DB: Dialect>(connection: &mut DB::Connection) -> Result<(), sqlx::Error> {
    match DB::OPENING {
        Some(sql) => DB::run(connection, sql).await,
        None => Ok(()),
    }
}

/// How much of a transaction a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Whole,
    Part,
}

const SELECT_ENTRY: &str = "SELECT e.seq, e.leaf_hash, e.at_us, e.stream, e.kind, e.cust, b.body \
    FROM entry e LEFT JOIN entry_body b ON b.seq = e.seq";

impl<DB: Dialect> Ledger for SqlLedger<DB> {
    async fn head(&self) -> Result<Head, ReadError> {
        let mut frontier = Frontier::new();
        loop {
            let leaves = self.leaves(Seq::new(frontier.size()), HEAD_PAGE).await?;
            if leaves.is_empty() {
                return Ok(Head { frontier });
            }
            frontier.extend(leaves);
        }
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        let first = batch.first();
        if batch.is_empty() {
            return Ok(());
        }
        let unknown = |source: sqlx::Error| AppendError::Unknown { first, source: source.into() };
        let refusal = match self.write(batch).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // The place is taken, by a rival or by this very batch at an earlier attempt; or there is nothing before it.
        if !is_conflict(&refusal) || batch.entries().is_empty() {
            return Err(unknown(refusal));
        }
        if self.holds(batch).await.map_err(unknown)? { Ok(()) } else { Err(AppendError::Fenced { first }) }
    }

    async fn entries(&self, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        let params = [Param::place(from), Param::Integer(limit.into())];
        self.read_entries("WHERE e.seq >= $1 ORDER BY e.seq LIMIT $2", &params).await
    }

    async fn leaves(&self, from: Seq, limit: u32) -> Result<Vec<LeafHash>, ReadError> {
        let sql = "SELECT seq, leaf_hash FROM entry WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let rows = self.read(READ_ENTRIES, sql, &[Param::place(from), Param::Integer(limit.into())]).await?;
        let mut leaves = Vec::with_capacity(rows.len());
        for (row, expected) in rows.iter().zip(from.index()..) {
            let seq = row::place::<DB>(row, 0)?;
            if seq.index() != expected {
                return Err(damaged_entry(Seq::new(expected), "it is missing, and later ones are there"));
            }
            leaves.push(row::leaf::<DB>(row, seq)?);
        }
        Ok(leaves)
    }

    async fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        let params = [Param::Text(stream), Param::place(from), Param::Integer(limit.into())];
        self.read_entries("WHERE e.stream = $1 AND e.seq >= $2 ORDER BY e.seq LIMIT $3", &params).await
    }

    async fn disclosures(&self, from: Seq, to: Seq) -> Result<Vec<(Seq, Disclosure)>, ReadError> {
        let sql = "SELECT digest, seq, subject, bytes FROM disclosure WHERE seq >= $1 AND seq < $2 ORDER BY seq, digest";
        let rows = self.read(READ_DISCLOSURES, sql, &[Param::place(from), Param::place(to)]).await?;
        rows.iter().map(|row| Ok((row::place::<DB>(row, 1)?, row::disclosure::<DB>(row)?))).collect()
    }

    async fn disclosure(&self, digest: &Digest) -> Result<Option<Disclosure>, ReadError> {
        let sql = "SELECT digest, seq, subject, bytes FROM disclosure WHERE digest = $1";
        let rows = self.read(READ_DISCLOSURES, sql, &[Param::Bytes(digest.as_bytes())]).await?;
        rows.first().map(row::disclosure::<DB>).transpose()
    }

    async fn listings(&self, query: &ListingQuery) -> Result<Vec<Listing>, ReadError> {
        let (sql, params) = listing_query(query);
        let rows = self.read(READ_LISTINGS, sql, &params).await?;
        rows.iter().map(row::listing::<DB>).collect()
    }

    async fn views(&self, query: &ViewsQuery) -> Result<Vec<Entry>, ReadError> {
        let (matching, params) = views_query(query);
        self.read_entries(matching, &params).await
    }

    async fn about(&self, subject: &str) -> Result<Vec<Digest>, ReadError> {
        let sql = "SELECT digest, seq, subject, bytes FROM disclosure WHERE subject = $1 ORDER BY digest";
        let rows = self.read(READ_DISCLOSURES, sql, &[Param::Text(subject)]).await?;
        rows.iter().map(|row| row::disclosure::<DB>(row).map(|disclosure| disclosure.digest())).collect()
    }

    async fn erase(&self, digests: &[Digest]) -> Result<u64, ReadError> {
        self.delete(digests).await.map_err(unavailable(ERASE))
    }

    async fn clear_listings(&self) -> Result<(), ReadError> {
        let mut writer = self.writer.lock().await;
        let mut connection = match writer.connection.take() {
            Some(connection) => connection,
            None => self.another().await.map_err(unavailable("clear the list"))?,
        };
        DB::run(&mut connection, "DELETE FROM listing").await.map_err(unavailable("clear the list"))?;
        writer.connection = Some(connection);
        Ok(())
    }
}

/// The text and values of a query for listings.
fn listing_query(query: &ListingQuery) -> (String, Vec<Param<'_>>) {
    let mut conditions = Vec::new();
    let mut params = Vec::new();
    for (column, allowed) in [("cust", &query.custs), ("site", &query.sites), ("state", &query.states)] {
        let Some(allowed) = allowed else { continue };
        let numbers: Vec<_> = (1..=allowed.len()).map(|i| format!("${}", params.len() + i)).collect();
        // No database takes an empty list, and it can hold nothing.
        let condition = if numbers.is_empty() { "1 = 0".to_owned() } else { format!("{column} IN ({})", numbers.join(", ")) };
        conditions.push(condition);
        params.extend(allowed.iter().map(|value| Param::Text(value)));
    }
    for (comparison, bound) in [(">=", query.from_us), ("<", query.to_us)] {
        let Some(bound) = bound else { continue };
        params.push(Param::Integer(bound));
        conditions.push(format!("opened_us {comparison} ${}", params.len()));
    }
    if let Some((opened_us, key)) = &query.before {
        params.extend([Param::Integer(*opened_us), Param::Text(key)]);
        conditions.push(format!("(opened_us, key) < (${}, ${})", params.len() - 1, params.len()));
    }
    let matching = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    params.push(Param::Integer(query.limit.into()));
    let sql = format!(
        "SELECT key, cust, site, state, opened_us, seq, card FROM listing {matching} \
         ORDER BY opened_us DESC, key DESC LIMIT ${}",
        params.len()
    );
    (sql, params)
}

/// The condition and values of a query for who read. The kind is said as the index says it: a parameter would not find it.
fn views_query(query: &ViewsQuery) -> (String, Vec<Param<'_>>) {
    let mut conditions = vec![format!("e.kind = '{VIEWED}'")];
    let mut params = Vec::new();
    if let Some(stream) = &query.stream {
        params.push(Param::Text(stream));
        conditions.push(format!("e.stream = ${}", params.len()));
    }
    if let Some(custs) = &query.custs {
        let numbers: Vec<_> = (1..=custs.len()).map(|i| format!("${}", params.len() + i)).collect();
        // No database takes an empty list, and it can hold nothing.
        conditions.push(if numbers.is_empty() { "1 = 0".to_owned() } else { format!("e.cust IN ({})", numbers.join(", ")) });
        params.extend(custs.iter().map(|cust| Param::Text(cust)));
    }
    if let Some(before) = query.before {
        params.push(Param::place(before));
        conditions.push(format!("e.seq < ${}", params.len()));
    }
    params.push(Param::Integer(query.limit.into()));
    (format!("WHERE {} ORDER BY e.seq DESC LIMIT ${}", conditions.join(" AND "), params.len()), params)
}

pub(crate) fn arguments<DB: Dialect>(params: &[Param<'_>]) -> Result<DB::Arguments, sqlx::Error> {
    let mut arguments = DB::Arguments::default();
    for param in params {
        DB::bind(&mut arguments, *param)?;
    }
    Ok(arguments)
}

/// Whether a place was taken (the key) or has nothing before it (the check).
fn is_conflict(error: &sqlx::Error) -> bool {
    let kind = error.as_database_error().map(sqlx::error::DatabaseError::kind);
    matches!(kind, Some(ErrorKind::UniqueViolation | ErrorKind::CheckViolation))
}
