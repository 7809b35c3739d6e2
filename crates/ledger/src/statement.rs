//! The SQL of an append: the same text for both databases, with as few statements as stay prepared.
//!
//! A small batch is one text with a statement for each table; a larger one goes in chunks of fixed sizes.
//! Runs nothing: that is `sql`.

use std::fmt::Write as _;

use crate::batch::Batch;
use crate::dialect::Param;
use crate::entry::Seq;

/// Rows in one statement, the largest first.
///
/// Not larger than 64: SQLite looks up the names of placeholders one by one in a list of all of them, so the cost of
/// binding grows with the square of their number. 512 entries took 20 ms as one statement and 8 ms as eight (a debug
/// build; PostgreSQL 8 ms either way).
const CHUNKS: [usize; 3] = [64, 8, 1];

/// Up to this many rows a batch is one joined text: one crossing to SQLite's thread, one round trip to PostgreSQL.
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
pub(crate) struct Piece {
    pub(crate) rows: Rows,
    pub(crate) count: usize,
}

/// What the rows of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rows {
    /// The very first entries of a record, or entries that follow others of the same batch.
    Entries,
    /// The first entries of a batch, which are refused unless the entry before them is there.
    EntriesAfterAnother,
    /// Disclosures.
    Disclosures,
    /// Listings.
    Listings,
}

/// The pieces of a batch, in the order of its parameters.
pub(crate) fn plan(batch: &Batch) -> Plan {
    let disclosures = batch.entries().iter().map(|sealed| sealed.disclosures.len()).sum();
    let rows = [(Rows::Entries, batch.entries().len()), (Rows::Disclosures, disclosures), (Rows::Listings, batch.listings().len())];
    let together = rows.iter().map(|(_, count)| count).sum::<usize>() <= ROWS_TOGETHER;
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
        params.extend([
            Param::place(seq),
            Param::Bytes(sealed.body.leaf_bytes()),
            Param::Integer(columns.at_us),
            Param::Text(&columns.stream),
            Param::Text(&columns.kind),
            Param::Text(&columns.cust),
            Param::Bytes(sealed.body.bytes()),
        ]);
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

    /// Appends the statements of this piece; its parameters are numbered after the `before` that precede them.
    pub(crate) fn write(self, statements: &mut Vec<String>, before: usize) {
        match self.rows {
            Rows::Entries => {
                statements.push(self.insert(ENTRY, before, &[1, 2, 3, 4, 5, 6]));
                statements.push(self.insert(ENTRY_BODY, before, &[1, 7]));
            }
            Rows::EntriesAfterAnother => {
                let unguarded = self.insert(ENTRY, before, &[1, 2, 3, 4, 5, 6]);
                let first = before + 1;
                statements.push(unguarded.replacen(
                    &format!("(${first},"),
                    &format!("(COALESCE((SELECT seq + 1 FROM entry WHERE seq = ${first} - 1), -1),"),
                    1,
                ));
                statements.push(self.insert(ENTRY_BODY, before, &[1, 7]));
            }
            Rows::Disclosures => {
                // Equal digests are equal bytes, so the row that is there already says the same.
                statements.push(self.insert(DISCLOSURE, before, &[1, 2, 3, 4]) + " ON CONFLICT (digest) DO NOTHING");
            }
            Rows::Listings => {
                statements.push(self.insert(LISTING, before, &[1, 2, 3, 4, 5, 6, 7]) + LISTING_CONFLICT);
            }
        }
    }

    /// `INSERT ... VALUES ($1, $2), ($3, $4)`: of each row's parameters those in `columns`.
    fn insert(self, into: &str, before: usize, columns: &[usize]) -> String {
        let mut sql = String::with_capacity(into.len() + self.count * columns.len() * 6);
        sql.push_str(into);
        for row in 0..self.count {
            sql.push_str(if row == 0 { " (" } else { ", (" });
            for (i, column) in columns.iter().enumerate() {
                let comma = if i == 0 { "" } else { "," };
                let number = before + row * self.rows.width() + column;
                // Writing to a String cannot fail.
                let _infallible = write!(sql, "{comma}${number}");
            }
            sql.push(')');
        }
        sql
    }
}

impl Rows {
    /// Parameters a row takes.
    const fn width(self) -> usize {
        match self {
            Self::Entries | Self::EntriesAfterAnother | Self::Listings => 7,
            Self::Disclosures => 4,
        }
    }
}

const ENTRY: &str = "INSERT INTO entry (seq, leaf_hash, at_us, stream, kind, cust) VALUES";
const ENTRY_BODY: &str = "INSERT INTO entry_body (seq, body) VALUES";
const DISCLOSURE: &str = "INSERT INTO disclosure (digest, seq, subject, bytes) VALUES";
const LISTING: &str = "INSERT INTO listing (key, cust, site, state, opened_us, seq, card) VALUES";
const LISTING_CONFLICT: &str = " ON CONFLICT (key) DO UPDATE SET cust = excluded.cust, site = excluded.site, \
    state = excluded.state, opened_us = excluded.opened_us, seq = excluded.seq, card = excluded.card \
    WHERE listing.seq <= excluded.seq";

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: usize) -> Vec<usize> {
        let mut pieces = Vec::new();
        cut(&mut pieces, Rows::Entries, rows);
        pieces.into_iter().map(|piece| piece.count).collect()
    }

    #[test]
    fn rows_are_cut_into_the_three_sizes() {
        assert_eq!(counts(0), [0_usize; 0]);
        assert_eq!(counts(9), [8, 1]);
        assert_eq!(counts(64 + 8 + 8 + 1), [64, 8, 8, 1]);
        assert_eq!(counts(129), [64, 64, 1]);
    }

    #[test]
    fn the_text_of_a_piece() {
        let mut statements = Vec::new();
        Piece { rows: Rows::EntriesAfterAnother, count: 1 }.write(&mut statements, 0);
        Piece { rows: Rows::Disclosures, count: 1 }.write(&mut statements, 7);
        assert_eq!(
            statements,
            [
                "INSERT INTO entry (seq, leaf_hash, at_us, stream, kind, cust) VALUES \
                 (COALESCE((SELECT seq + 1 FROM entry WHERE seq = $1 - 1), -1),$2,$3,$4,$5,$6)",
                "INSERT INTO entry_body (seq, body) VALUES ($1,$7)",
                "INSERT INTO disclosure (digest, seq, subject, bytes) VALUES ($8,$9,$10,$11) ON CONFLICT (digest) DO NOTHING",
            ]
        );
    }
}
