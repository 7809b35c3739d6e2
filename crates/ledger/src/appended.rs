//! An append to SQLite as a single statement, by way of a view that only its connection has.
//!
//! What runs on SQLite's thread wakes whoever waits for it once a statement. A text of six, from BEGIN to COMMIT, cost an
//! append more in threads that wake each other than in the database. One statement is a transaction by itself.

use crate::dialect::Dialect;
use crate::statement::{Piece, Rows};

/// Makes the view, and says what becomes of its rows.
///
/// Whatever fails ends the whole transaction (`OR ROLLBACK`), and says so itself, since nothing here may undo one statement
/// alone: SQLite would copy every page that an append touches. An upsert can only do that, so a listing is two statements.
pub(crate) const OPENING: &str = "\
    CREATE TEMP VIEW appended (what, a, b, c, d, e, f, g) AS SELECT 0, 0, 0, 0, 0, 0, 0, 0; \
    CREATE TEMP TRIGGER entry_appended INSTEAD OF INSERT ON appended WHEN NEW.what = 0 BEGIN \
        INSERT OR ROLLBACK INTO entry (seq, leaf_hash, at_us, stream, kind, cust) \
            VALUES (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e, NEW.f); \
    END; \
    CREATE TEMP TRIGGER body_appended INSTEAD OF INSERT ON appended WHEN NEW.what = 1 BEGIN \
        INSERT OR ROLLBACK INTO entry_body (seq, body) VALUES (NEW.a, NEW.b); \
    END; \
    CREATE TEMP TRIGGER disclosure_appended INSTEAD OF INSERT ON appended WHEN NEW.what = 2 BEGIN \
        INSERT OR ROLLBACK INTO disclosure (digest, seq, subject, bytes) VALUES (NEW.a, NEW.b, NEW.c, NEW.d) \
            ON CONFLICT (digest) DO NOTHING; \
    END; \
    CREATE TEMP TRIGGER listing_appended INSTEAD OF INSERT ON appended WHEN NEW.what = 3 BEGIN \
        UPDATE OR ROLLBACK listing \
            SET cust = NEW.b, site = NEW.c, state = NEW.d, opened_us = NEW.e, seq = NEW.f, card = NEW.g \
            WHERE key = NEW.a AND seq <= NEW.f; \
        INSERT OR ROLLBACK INTO listing (key, cust, site, state, opened_us, seq, card) \
            VALUES (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e, NEW.f, NEW.g) ON CONFLICT (key) DO NOTHING; \
    END";

/// The one statement that writes these pieces.
pub(crate) fn text<DB: Dialect>(pieces: &[Piece]) -> String {
    let mut sql = "INSERT INTO appended VALUES".to_owned();
    let mut before = 0;
    for piece in pieces {
        sql.push_str(if before == 0 { "" } else { "," });
        let (first, last) = row_of(piece.rows);
        piece.write_rows::<DB>(&mut sql, before, first, last);
        before += piece.params();
    }
    sql
}

/// What stands before and after the values of a row: which kind it is, and nothing in the columns that it has not.
const fn row_of(rows: Rows) -> (&'static str, &'static str) {
    match rows {
        Rows::Entries | Rows::EntriesAfterAnother => ("0,", ",NULL"),
        Rows::Bodies => ("1,", ",NULL,NULL,NULL,NULL,NULL"),
        Rows::Disclosures => ("2,", ",NULL,NULL,NULL"),
        Rows::Listings => ("3,", ""),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Sqlite;

    use super::*;

    #[test]
    fn the_text_of_an_append() {
        let piece = |rows, count| Piece { rows, count };
        let pieces = [piece(Rows::EntriesAfterAnother, 2), piece(Rows::Bodies, 2), piece(Rows::Disclosures, 1), piece(Rows::Listings, 1)];
        assert_eq!(
            text::<Sqlite>(&pieces),
            "INSERT INTO appended VALUES \
             (0,COALESCE((SELECT seq + 1 FROM entry WHERE seq = ?), -1),?,?,?,?,?,NULL), (0,?,?,?,?,?,?,NULL), \
             (1,?,?,NULL,NULL,NULL,NULL,NULL), (1,?,?,NULL,NULL,NULL,NULL,NULL), \
             (2,?,?,?,?,NULL,NULL,NULL), (3,?,?,?,?,?,?,?)"
        );
    }
}
