-- The record. Written once, never edited after release; the same tables in the same order as in sqlite/0001_record.sql.
-- COLLATE "C" makes text sort by its bytes, as it does in SQLite, whatever the cluster's locale.

-- What stays for ever. CHECK (seq >= 0) is also the guard against a gap: the append computes the place of its first
-- entry from the one before, and writes -1 when there is none.
CREATE TABLE entry (
    seq       BIGINT PRIMARY KEY CHECK (seq >= 0),
    leaf_hash BYTEA  NOT NULL,
    at_us     BIGINT NOT NULL,
    stream    TEXT   COLLATE "C" NOT NULL,
    kind      TEXT   COLLATE "C" NOT NULL,
    cust      TEXT   COLLATE "C" NOT NULL
);
CREATE INDEX entry_by_stream ON entry (stream, seq);

-- The exact bytes that were hashed. May be deleted when their time has come; the hash above stays.
CREATE TABLE entry_body (
    seq  BIGINT PRIMARY KEY,
    body BYTEA NOT NULL
);

-- Personal data, each value under its own salt. Deleting the row erases the value and no proof.
CREATE TABLE disclosure (
    digest  BYTEA  NOT NULL,
    seq     BIGINT NOT NULL,
    subject TEXT   COLLATE "C" NOT NULL,
    bytes   BYTEA  NOT NULL,
    PRIMARY KEY (seq, digest)
);
CREATE UNIQUE INDEX disclosure_by_digest ON disclosure (digest);

-- The one projection. It can be cleared and written again from the record.
CREATE TABLE listing (
    key       TEXT   COLLATE "C" PRIMARY KEY,
    cust      TEXT   COLLATE "C" NOT NULL,
    site      TEXT   COLLATE "C" NOT NULL,
    state     TEXT   COLLATE "C" NOT NULL,
    opened_us BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    card      BYTEA  NOT NULL
);
CREATE INDEX listing_by_opening ON listing (opened_us, key);
CREATE INDEX listing_by_cust ON listing (cust, opened_us, key);

-- Accidents end here. Who can disable these triggers is caught by the tree.
CREATE FUNCTION record_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the record is append-only', TG_OP, TG_TABLE_NAME;
END;
$$;
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
FOR EACH STATEMENT EXECUTE FUNCTION record_refuses();
CREATE TRIGGER entry_body_is_never_changed BEFORE UPDATE OR TRUNCATE ON entry_body
FOR EACH STATEMENT EXECUTE FUNCTION record_refuses();
CREATE TRIGGER disclosure_is_never_changed BEFORE UPDATE OR TRUNCATE ON disclosure
FOR EACH STATEMENT EXECUTE FUNCTION record_refuses();
