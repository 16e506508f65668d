/** Made once, by whoever comes first; `@` is the schema. What is in it no statement changes or takes away. */
export const TRAIL_SCHEMA = `DO $do$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('hallpass trail @'));
  IF to_regclass('@.trail') IS NOT NULL THEN RETURN; END IF;
  CREATE SCHEMA IF NOT EXISTS @;
  CREATE TABLE @.trail (
    seq bigint PRIMARY KEY,
    source text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    txn text,
    jti text,
    hash text NOT NULL,
    line text NOT NULL
  );
  CREATE UNIQUE INDEX trail_event ON @.trail (id, source);
  CREATE INDEX trail_txn ON @.trail (txn) WHERE txn IS NOT NULL;
  CREATE INDEX trail_jti ON @.trail (jti) WHERE jti IS NOT NULL;
  CREATE FUNCTION @.keep_trail() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN RAISE EXCEPTION 'a trail is only appended to'; END $f$;
  CREATE TRIGGER trail_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON @.trail
    FOR EACH STATEMENT EXECUTE FUNCTION @.keep_trail();
END $do$`

/** Takes a batch whole or not at all. A number or an event that is there already makes it fail. */
export const APPEND = `INSERT INTO @.trail (seq, source, id, type, txn, jti, hash, line)
  SELECT seq, source, id, type, txn, jti, hash, line FROM jsonb_to_recordset($1::text::jsonb)
    AS x (seq bigint, source text, id text, type text, txn text, jti text, hash text, line text)`

export const HEAD = 'SELECT seq::text AS seq, hash FROM @.trail ORDER BY trail.seq DESC LIMIT 1'

export const KNOWN = `SELECT t.id, t.source FROM @.trail t
  JOIN jsonb_to_recordset($1::text::jsonb) AS x (id text, source text) ON t.id = x.id AND t.source = x.source`

export const LINES_AFTER = `SELECT seq::text AS seq, line FROM @.trail WHERE trail.seq > $1::text::bigint
  ORDER BY trail.seq LIMIT 1000`

export const SELECT = `SELECT line FROM @.trail WHERE ($1::text IS NULL OR txn = $1) AND ($2::text IS NULL OR jti = $2)
  AND ($3::text IS NULL OR id = $3) AND ($4::text IS NULL OR type = $4) ORDER BY seq`
