/** Version 2: what ran out is kept until somebody says that it is on record. */
export const OUTBOX_TABLES = `
ALTER TABLE @.uses ADD COLUMN resource text;
ALTER TABLE @.uses ADD COLUMN outbox boolean NOT NULL DEFAULT false;
CREATE TABLE @.outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  body jsonb NOT NULL,
  due_us bigint NOT NULL
);
CREATE INDEX outbox_due ON @.outbox (due_us);
`

export const OUTBOX_FUNCTIONS = `
CREATE FUNCTION @.use_json(u @.uses) RETURNS jsonb LANGUAGE sql STABLE AS $f$
  SELECT jsonb_build_object('event', u.event, 'reservation', u.secret || '.' || u.seq, 'jti', u.jti, 'txn', u.txn,
    'client', g.client_id, 'audience', u.audience, 'action', g.action, 'resource', coalesce(u.resource, g.resource),
    'jkt', g.jkt, 'at', u.at_us, 'outbox', u.outbox, 'state', u.state)
  FROM (SELECT 1) AS one LEFT JOIN @.grants g ON g.jti = u.jti
$f$;

CREATE FUNCTION @.use_state(p_seq bigint, p_secret text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_use @.uses;
BEGIN
  SELECT * INTO v_use FROM @.uses WHERE seq = p_seq AND secret = p_secret;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF v_use.state = 'running' AND @.tick() >= v_use.lease_end_us THEN v_use.state := 'unknown'; END IF;
  RETURN @.use_json(v_use);
END
$f$;

-- Hands out what is due, and nobody else gets it for a while.
CREATE FUNCTION @.take_out(p_now bigint, p_most int) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_found jsonb;
BEGIN
  WITH due AS (
    SELECT seq FROM @.outbox WHERE due_us <= p_now ORDER BY due_us, seq LIMIT p_most FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE @.outbox o SET due_us = p_now + 30000000 FROM due WHERE o.seq = due.seq RETURNING o.seq, o.kind, o.body
  )
  SELECT coalesce(jsonb_agg(jsonb_build_array(seq, kind, body) ORDER BY seq), '[]') INTO v_found FROM taken;
  RETURN v_found;
END
$f$;

CREATE FUNCTION @.acknowledge(p_seqs jsonb) RETURNS void LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
BEGIN
  PERFORM @.begin_work(false);
  DELETE FROM @.outbox WHERE seq IN (SELECT x::bigint FROM jsonb_array_elements_text(p_seqs) AS x);
END
$f$;
`
