-- The record. Written once, never edited after release; the same tables in the same order as in postgres/0001_record.sql.
-- INTEGER PRIMARY KEY is how SQLite spells a BIGINT key that is the row's own place.

-- What stays for ever. CHECK (seq >= 0) is also the guard against a gap: the append computes the place of its first
-- entry from the one before, and writes -1 when there is none.
CREATE TABLE entry (
    seq       INTEGER PRIMARY KEY CHECK (seq >= 0),
    leaf_hash BLOB   NOT NULL,
    at_us     BIGINT NOT NULL,
    stream    TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    cust      TEXT   NOT NULL
);
CREATE INDEX entry_by_stream ON entry (stream, seq);

-- The exact bytes that were hashed. May be deleted when their time has come; the hash above stays.
CREATE TABLE entry_body (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);

-- Personal data, each value under its own salt. Deleting the row erases the value and no proof. The rows lie beside those
-- they came with: a press must not touch a page for each of its digests.
CREATE TABLE disclosure (
    digest  BLOB   NOT NULL,
    seq     BIGINT NOT NULL,
    subject TEXT   NOT NULL,
    bytes   BLOB   NOT NULL,
    PRIMARY KEY (seq, digest)
) WITHOUT ROWID;
CREATE UNIQUE INDEX disclosure_by_digest ON disclosure (digest);

-- The one projection. It can be cleared and written again from the record.
CREATE TABLE listing (
    key       TEXT   PRIMARY KEY NOT NULL,
    cust      TEXT   NOT NULL,
    site      TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    opened_us BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    card      BLOB   NOT NULL
);
CREATE INDEX listing_by_opening ON listing (opened_us, key);
CREATE INDEX listing_by_cust ON listing (cust, opened_us, key);

-- Accidents end here. Who can disable these triggers is caught by the tree.
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER entry_body_is_never_changed BEFORE UPDATE ON entry_body
BEGIN SELECT RAISE(ABORT, 'entry_body may be deleted, never changed'); END;
CREATE TRIGGER disclosure_is_never_changed BEFORE UPDATE ON disclosure
BEGIN SELECT RAISE(ABORT, 'disclosure may be deleted, never changed'); END;
