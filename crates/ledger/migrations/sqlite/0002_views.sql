-- Who read the record, found by whose it was and from the newest on. Of no other entry is anything kept here, so that an
-- append that says nothing of readers costs what it did. The same as in postgres/0002_views.sql.
CREATE INDEX entry_viewed ON entry (seq) WHERE kind = 'record.viewed';
CREATE INDEX entry_viewed_by_cust ON entry (cust, seq) WHERE kind = 'record.viewed';
