-- Two roles for the record on PostgreSQL 15 or later. Run by a superuser in the record's own database:
--
--     psql --dbname=cooee --file=deploy/postgres.sql
--
-- 1. Run it once before the first start: it makes the roles.
-- 2. Start once with the owner's address (postgres://cooee_owner@.../cooee): that creates the tables.
-- 3. Run it again: it grants the service what it needs. Then start with postgres://cooee@.../cooee, always.
-- After an upgrade that brings migrations: steps 2 and 3 again. The service says when that is so.
--
-- The service can add entries and never change one, whatever becomes of its process: UPDATE, DELETE and TRUNCATE on
-- `entry` are not granted, and it owns nothing, so that it cannot disable the triggers that refuse them either.
-- Give both roles a password with \password, or a certificate in pg_hba.conf; this file sets none.

\set ON_ERROR_STOP on
BEGIN;

SELECT 'CREATE ROLE cooee_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cooee_owner') \gexec
SELECT 'CREATE ROLE cooee LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cooee') \gexec

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO cooee_owner;
GRANT USAGE ON SCHEMA public TO cooee;

SELECT to_regclass('public.entry') IS NOT NULL AS tables_exist \gset
\if :tables_exist
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, cooee;
    -- Append-only for ever.
    GRANT SELECT, INSERT ON entry TO cooee;
    -- May be deleted when retention ends or a person is erased, never changed.
    GRANT SELECT, INSERT, DELETE ON entry_body, disclosure TO cooee;
    -- The projection, which is rebuilt from the record.
    GRANT SELECT, INSERT, UPDATE, DELETE ON listing TO cooee;
    -- To see whether an upgrade is due.
    GRANT SELECT ON _sqlx_migrations TO cooee;
    \echo 'The service may now connect as cooee.'
\else
    \echo 'The roles are there. Start once as cooee_owner to create the tables, then run this file again.'
\endif

COMMIT;
