//! The SQL of an append: the same text for both databases, with as few statements as stay prepared.
//!
//! A small batch is one text with a statement for each table; a larger one goes in chunks of fixed sizes.
//! Runs nothing: that is `sql`.

use std::fmt::Write as _;

use crate::batch::Batch;
use crate::dialect::{Dialect, Param};
use crate::entry::Seq;

/// Rows in one statement, the largest first. Few sizes, so that every statement stays prepared.
const CHUNKS: [usize; 4] = [512, 64, 8, 1];

/// Up to this many rows (an entry and its body count as one) a batch is one text, which is one statement: one crossing to SQLite's thread
/// and back, one round trip to PostgreSQL.
///
/// There is a text for each combination of row counts, so beyond it they would be too many to keep prepared, while the
/// crossings matter less with every row.
const ROWS_TOGETHER: usize = 24;

/// How a batch is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// As one text, which is a transaction by itself.
    Together(Vec<Piece>),
    /// Piece after piece, in a transaction.
    InTurn(Vec<Piece>),
}

/// Rows of one table that are written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// What they are.
    pub(crate) rows: Rows,
    /// How many.
    pub(crate) count: usize,
}

/// What the rows of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rows {
    /// The very first entries of a record, or entries that follow others of the same batch.
    Entries,
    /// The first entries of a batch, which are refused unless the entry before them is there.
    EntriesAfterAnother,
    /// The bytes of entries.
    Bodies,
    /// Disclosures.
    Disclosures,
    /// Listings.
    Listings,
}

/// The pieces of a batch, in the order of its parameters.
pub(crate) fn plan(batch: &Batch) -> Plan {
    let disclosures: usize = batch.entries().iter().map(|sealed| sealed.disclosures.len()).sum();
    let (entries, listings) = (batch.entries().len(), batch.listings().len());
    let rows = [(Rows::Entries, entries), (Rows::Bodies, entries), (Rows::Disclosures, disclosures), (Rows::Listings, listings)];
    let together = entries + disclosures + listings <= ROWS_TOGETHER;
    let mut pieces = Vec::new();
    for (rows, count) in rows.into_iter().filter(|(_, count)| *count > 0) {
        if together {
            pieces.push(Piece { rows, count });
        } else {
            cut(&mut pieces, rows, count);
        }
    }
    if let Some(first) = pieces.first_mut().filter(|first| first.rows == Rows::Entries)
        && batch.first() > Seq::FIRST
    {
        first.rows = Rows::EntriesAfterAnother;
    }
    if together { Plan::Together(pieces) } else { Plan::InTurn(pieces) }
}

/// Cuts a number of rows into as few chunks as there can be.
fn cut(pieces: &mut Vec<Piece>, rows: Rows, mut left: usize) {
    for count in CHUNKS {
        while left >= count {
            pieces.push(Piece { rows, count });
            left -= count;
        }
    }
}

/// The values of a batch, in the order of its pieces.
pub(crate) fn params(batch: &Batch) -> Vec<Param<'_>> {
    let mut params = Vec::with_capacity(16 * batch.entries().len());
    for (seq, sealed) in batch.placed() {
        let columns = sealed.body.columns();
        // The place of a batch's first entry is computed from the entry before it (see `Rows::EntriesAfterAnother`).
        let follows = if seq == batch.first() { seq.before() } else { None };
        params.extend([
            Param::place(follows.unwrap_or(seq)),
            Param::Bytes(sealed.body.leaf_bytes()),
            Param::Integer(columns.at_us),
            Param::Text(&columns.stream),
            Param::Text(&columns.kind),
            Param::Text(&columns.cust),
        ]);
    }
    for (seq, sealed) in batch.placed() {
        params.extend([Param::place(seq), Param::Bytes(sealed.body.bytes())]);
    }
    for (seq, sealed) in batch.placed() {
        for disclosure in &sealed.disclosures {
            params.extend([
                Param::Bytes(disclosure.digest_bytes()),
                Param::place(seq),
                Param::Text(disclosure.subject()),
                Param::Bytes(disclosure.bytes()),
            ]);
        }
    }
    for listing in batch.listings() {
        params.extend([
            Param::Text(&listing.key),
            Param::Text(&listing.cust),
            Param::Text(&listing.site),
            Param::Text(&listing.state),
            Param::Integer(listing.opened_us),
            Param::place(listing.seq),
            Param::Bytes(&listing.card),
        ]);
    }
    params
}

impl Piece {
    /// Parameters this piece takes.
    pub(crate) const fn params(self) -> usize {
        self.count * self.rows.width()
    }

    /// The statement of this piece; its parameters are numbered after the `before` that precede them.
    pub(crate) fn text<DB: Dialect>(self, before: usize) -> String {
        let (into, after) = self.rows.around();
        let mut sql = String::with_capacity(into.len() + after.len() + self.params() * 6);
        sql.push_str(DB::INSERT);
        sql.push_str(into);
        self.write_rows::<DB>(&mut sql, before, "", "");
        sql.push_str(after);
        sql
    }

    /// Its rows, with this before the first value of each and that behind the last one.
    pub(crate) fn write_rows<DB: Dialect>(self, sql: &mut String, before: usize, first: &str, last: &str) {
        let width = self.rows.width();
        for row in 0..self.count {
            sql.push_str(if row == 0 { " (" } else { ", (" });
            sql.push_str(first);
            for column in 1..=width {
                let number = before + row * width + column;
                let placeholder = DB::placeholder(number);
                let comma = if column == 1 { "" } else { "," };
                // Writing to a String cannot fail.
                let _infallible = if self.rows == Rows::EntriesAfterAnother && (row, column) == (0, 1) {
                    write!(sql, "COALESCE((SELECT seq + 1 FROM entry WHERE seq = {placeholder}), -1)")
                } else {
                    write!(sql, "{comma}{placeholder}")
                };
            }
            sql.push_str(last);
            sql.push(')');
        }
    }
}

impl Rows {
    /// Parameters a row takes.
    const fn width(self) -> usize {
        match self {
            Self::Entries | Self::EntriesAfterAnother => 6,
            Self::Bodies => 2,
            Self::Disclosures => 4,
            Self::Listings => 7,
        }
    }

    /// What stands before and after the rows.
    const fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Entries | Self::EntriesAfterAnother => (" entry (seq, leaf_hash, at_us, stream, kind, cust) VALUES", ""),
            Self::Bodies => (" entry_body (seq, body) VALUES", ""),
            // Equal digests are equal bytes, so the row that is there already says the same.
            Self::Disclosures => (" disclosure (digest, seq, subject, bytes) VALUES", " ON CONFLICT (digest) DO NOTHING"),
            Self::Listings => (" listing (key, cust, site, state, opened_us, seq, card) VALUES", LISTING_CONFLICT),
        }
    }
}

const LISTING_CONFLICT: &str = " ON CONFLICT (key) DO UPDATE SET cust = excluded.cust, site = excluded.site, \
    state = excluded.state, opened_us = excluded.opened_us, seq = excluded.seq, card = excluded.card \
    WHERE listing.seq <= excluded.seq";

#[cfg(test)]
mod tests {
    use sqlx::{Postgres, Sqlite};

    use super::*;

    fn counts(rows: usize) -> Vec<usize> {
        let mut pieces = Vec::new();
        cut(&mut pieces, Rows::Entries, rows);
        pieces.into_iter().map(|piece| piece.count).collect()
    }

    #[test]
    fn rows_are_cut_into_the_four_sizes() {
        assert_eq!(counts(0), [0_usize; 0]);
        assert_eq!(counts(9), [8, 1]);
        assert_eq!(counts(512 + 64 + 64 + 1), [512, 64, 64, 1]);
        assert_eq!(counts(1025), [512, 512, 1]);
    }

    #[test]
    fn the_text_of_a_piece() {
        let first = Piece { rows: Rows::EntriesAfterAnother, count: 2 };
        assert_eq!(
            first.text::<Postgres>(0),
            "INSERT INTO entry (seq, leaf_hash, at_us, stream, kind, cust) VALUES \
             (COALESCE((SELECT seq + 1 FROM entry WHERE seq = $1), -1),$2,$3,$4,$5,$6), ($7,$8,$9,$10,$11,$12)"
        );
        let disclosure = Piece { rows: Rows::Disclosures, count: 1 };
        assert_eq!(
            disclosure.text::<Postgres>(12),
            "INSERT INTO disclosure (digest, seq, subject, bytes) VALUES ($13,$14,$15,$16) ON CONFLICT (digest) DO NOTHING"
        );
        let bodies = Piece { rows: Rows::Bodies, count: 2 };
        assert_eq!(bodies.text::<Sqlite>(12), "INSERT OR ROLLBACK INTO entry_body (seq, body) VALUES (?,?), (?,?)");
    }
}
