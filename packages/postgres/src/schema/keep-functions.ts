/** What is remembered for a while, what is asked about, and the forgetting of what is over. */
export const KEEP_FUNCTIONS = `
CREATE FUNCTION @.mark_once(p_name text, p_until bigint, p_skew bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_now bigint;
BEGIN
  PERFORM @.begin_work(false);
  v_now := @.tick();
  IF p_until <= v_now THEN RETURN 'seen'; END IF;
  INSERT INTO @.marks AS m (name, due_us) VALUES (p_name, p_until + p_skew)
    ON CONFLICT (name) DO UPDATE SET due_us = excluded.due_us WHERE m.due_us <= v_now;
  RETURN CASE WHEN FOUND THEN 'first' ELSE 'seen' END;
END
$f$;

CREATE FUNCTION @.bind_key(p_assertion text, p_jkt text, p_max bigint, p_until bigint, p_skew bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_now bigint;
  v_keys text[];
  v_due bigint;
BEGIN
  PERFORM @.begin_work(false);
  PERFORM pg_advisory_xact_lock(@NAMES, hashtext('assertion ' || p_assertion));
  v_now := @.tick();
  IF p_until <= v_now THEN RETURN '{"reason": "token-expired"}'; END IF;
  SELECT coalesce(array_agg(jkt), '{}'), greatest(max(due_us), p_until + p_skew) INTO v_keys, v_due
    FROM @.bindings WHERE assertion = p_assertion AND due_us > v_now;
  IF p_jkt = ANY (v_keys) THEN RETURN jsonb_build_object('keys', cardinality(v_keys)); END IF;
  IF cardinality(v_keys) >= p_max THEN RETURN '{"reason": "too-many-keys"}'; END IF;
  INSERT INTO @.bindings (assertion, jkt, due_us) VALUES (p_assertion, p_jkt, v_due)
    ON CONFLICT (assertion, jkt) DO UPDATE SET due_us = excluded.due_us;
  UPDATE @.bindings SET due_us = v_due WHERE assertion = p_assertion AND due_us > v_now;
  RETURN jsonb_build_object('keys', cardinality(v_keys) + 1);
END
$f$;

CREATE FUNCTION @.reserve_status(p_name text, p_until bigint, p_size bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_now bigint;
  v_taken bigint;
BEGIN
  PERFORM @.begin_work(false);
  v_now := @.tick();
  IF p_size = 0 THEN
    RETURN coalesce((SELECT taken FROM @.status_series WHERE name = p_name AND until_us > v_now), 0);
  END IF;
  INSERT INTO @.status_series AS s (name, taken, until_us) VALUES (p_name, p_size, p_until)
    ON CONFLICT (name) DO UPDATE SET
      taken = excluded.taken + CASE WHEN s.until_us > v_now THEN s.taken ELSE 0 END,
      until_us = greatest(s.until_us, excluded.until_us)
    RETURNING taken INTO v_taken;
  RETURN v_taken - p_size;
END
$f$;

CREATE FUNCTION @.task_json(t @.tasks, p_now bigint) RETURNS jsonb LANGUAGE sql STABLE AS $f$
  SELECT jsonb_build_object('record', t.record, 'issued', t.grants_issued, 'refusals', t.refusals,
    'how', coalesce(t.end_how, CASE WHEN p_now >= t.deadline_us THEN 'expired' END),
    'at', coalesce(t.end_at_us, CASE WHEN p_now >= t.deadline_us THEN t.deadline_us END), 'reason', t.end_reason,
    'past', t.past_uses,
    'uses', (SELECT coalesce(jsonb_agg(jsonb_build_array(u.action, u.used) ORDER BY u.first), '[]') FROM
      (SELECT action, sum(used) AS used, min(seq) AS first FROM @.grants WHERE txn = t.txn GROUP BY action) AS u),
    'spent', (SELECT coalesce(jsonb_agg(jsonb_build_array(limit_id, spent)), '[]') FROM @.counters
      WHERE scope = 'task' AND holder = t.txn))
$f$;

CREATE FUNCTION @.task(p_txn text) RETURNS jsonb LANGUAGE sql VOLATILE AS $f$
  SELECT @.task_json(t, greatest(@.wall_us(), (SELECT clock_us FROM @.life WHERE id = 1)))
    FROM @.tasks t WHERE txn = p_txn
$f$;

-- What had expired when its task ended was not killed by it.
CREATE FUNCTION @.grant_json(g @.grants, t @.tasks) RETURNS jsonb LANGUAGE sql STABLE AS $f$
  SELECT jsonb_build_object('record', g.record, 'left', g.calls_max - g.used,
    'at', CASE WHEN g.revoked_at_us IS NOT NULL THEN g.revoked_at_us WHEN t.end_at_us < g.exp_us THEN t.end_at_us END,
    'reason', CASE WHEN g.revoked_at_us IS NOT NULL THEN g.revoked_reason
      WHEN t.end_at_us < g.exp_us THEN coalesce(t.end_reason, t.end_how) END)
$f$;

CREATE FUNCTION @.grant(p_jti text) RETURNS jsonb LANGUAGE sql VOLATILE AS $f$
  SELECT @.grant_json(g, t) FROM @.grants g JOIN @.tasks t ON t.txn = g.txn WHERE g.jti = p_jti
$f$;

CREATE FUNCTION @.sizes() RETURNS jsonb LANGUAGE sql STABLE AS $f$
  SELECT jsonb_build_object('tasks', (SELECT count(*) FROM @.tasks), 'grants', (SELECT count(*) FROM @.grants),
    'counters', (SELECT count(*) FROM @.counters), 'uses', (SELECT count(*) FROM @.uses),
    'running', (SELECT count(*) FROM @.uses WHERE state = 'running'), 'proofs', (SELECT count(*) FROM @.proofs),
    'marks', (SELECT count(*) FROM @.marks), 'bindings', (SELECT count(*) FROM @.bindings),
    'stops', (SELECT count(*) FROM @.stops), 'revocations', (SELECT count(*) FROM @.revocations),
    'series', (SELECT count(*) FROM @.status_series))
$f$;

-- Forgets what is over and hands out, once among all that sweep, what nobody was told of. Waits for nobody's rows.
CREATE FUNCTION @.sweep(p_most int) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_past bigint;
  v_gone bigint;
  v_newest bigint;
BEGIN
  PERFORM @.begin_work(false);
  v_now := @.tick();
  -- What must not be counted or seen anew is kept for as long as the clock may fall back.
  v_past := v_now - 1000000;

  WITH over AS (
    SELECT txn FROM @.tasks WHERE end_how IS NULL AND deadline_us <= v_now ORDER BY deadline_us LIMIT p_most
      FOR UPDATE SKIP LOCKED
  ), ended AS (
    UPDATE @.tasks t SET end_how = 'expired', end_at_us = deadline_us FROM over WHERE t.txn = over.txn RETURNING t AS task
  )
  INSERT INTO @.outbox (kind, body, due_us) SELECT 'task', @.task_json(task, v_now), v_now FROM ended;

  WITH over AS (
    SELECT seq FROM @.uses WHERE state = 'running' AND lease_end_us <= v_now ORDER BY lease_end_us LIMIT p_most
      FOR UPDATE SKIP LOCKED
  ), lapsed AS (
    UPDATE @.uses u SET state = 'unknown' FROM over WHERE u.seq = over.seq RETURNING u AS use_row
  )
  INSERT INTO @.outbox (kind, body, due_us) SELECT 'unknown', @.use_json(use_row), v_now FROM lapsed;

  WITH over AS (
    SELECT g.jti FROM @.grants g WHERE g.exp_us <= v_now AND NOT g.reported ORDER BY g.exp_us LIMIT p_most
      FOR UPDATE SKIP LOCKED
  ), told AS (
    UPDATE @.grants g SET reported = true FROM over WHERE g.jti = over.jti RETURNING g AS grant_row
  ), states AS (
    SELECT @.grant_json(grant_row, t) AS state FROM told JOIN @.tasks t ON t.txn = (grant_row).txn
  )
  INSERT INTO @.outbox (kind, body, due_us) SELECT 'grant', state, v_now FROM states
    WHERE state->>'at' IS NULL AND (state->>'left')::bigint > 0;

  -- A grant stays until all its uses have ended, and its task until all its grants are gone.
  WITH over AS (
    SELECT g.jti, g.txn, g.action, g.used FROM @.grants g JOIN @.tasks t ON t.txn = g.txn
      WHERE g.exp_us <= v_now AND g.reported
        AND NOT EXISTS (SELECT 1 FROM @.uses u WHERE u.jti = g.jti AND u.state = 'running')
      ORDER BY g.exp_us LIMIT p_most FOR UPDATE SKIP LOCKED
  ), spent AS (
    DELETE FROM @.uses u USING over WHERE u.jti = over.jti AND u.idempotency_key IS NULL
  ), counted AS (
    DELETE FROM @.counters c USING over WHERE c.scope = 'grant' AND c.holder = over.jti
  ), dropped AS (
    DELETE FROM @.grants g USING over WHERE g.jti = over.jti
  ), sums AS (
    SELECT txn, action, sum(used) AS used FROM over WHERE used > 0 GROUP BY txn, action
  )
  UPDATE @.tasks t SET past_uses = t.past_uses || (
      SELECT jsonb_object_agg(s.action, s.used + coalesce((t.past_uses->>s.action)::numeric, 0)) FROM sums s
        WHERE s.txn = t.txn)
    WHERE t.txn IN (SELECT txn FROM sums);

  WITH over AS (
    SELECT t.txn FROM @.tasks t WHERE t.end_how IS NOT NULL AND t.end_at_us <= v_now - 60000000
        AND NOT EXISTS (SELECT 1 FROM @.grants g WHERE g.txn = t.txn)
      ORDER BY t.end_at_us LIMIT p_most FOR UPDATE SKIP LOCKED
  ), spent AS (
    DELETE FROM @.uses u USING over WHERE u.txn = over.txn AND u.idempotency_key IS NOT NULL
  ), counted AS (
    DELETE FROM @.counters c USING over WHERE c.scope = 'task' AND c.holder = over.txn
  )
  DELETE FROM @.tasks t USING over WHERE t.txn = over.txn;

  -- An agent's counters last as long as their window, and as long as a task of it could say what they count.
  DELETE FROM @.counters c USING (
    SELECT scope, holder, limit_id, window_seconds FROM @.counters c
      WHERE scope = 'agent' AND (window_number + 1) * window_seconds * 1000000 <= v_past
        AND NOT EXISTS (SELECT 1 FROM @.tasks t WHERE t.client_id = c.holder)
      LIMIT p_most FOR UPDATE SKIP LOCKED
  ) AS over WHERE c.scope = over.scope AND c.holder = over.holder AND c.limit_id = over.limit_id
    AND c.window_seconds = over.window_seconds;

  DELETE FROM @.proofs WHERE proof IN (
    SELECT proof FROM @.proofs WHERE due_us <= v_past ORDER BY due_us LIMIT 20 * p_most FOR UPDATE SKIP LOCKED);
  DELETE FROM @.marks WHERE name IN (
    SELECT name FROM @.marks WHERE due_us <= v_past ORDER BY due_us LIMIT p_most FOR UPDATE SKIP LOCKED);
  DELETE FROM @.bindings WHERE (assertion, jkt) IN (
    SELECT assertion, jkt FROM @.bindings WHERE due_us <= v_past ORDER BY due_us LIMIT p_most FOR UPDATE SKIP LOCKED);
  DELETE FROM @.status_series WHERE name IN (
    SELECT name FROM @.status_series WHERE until_us <= v_past LIMIT p_most FOR UPDATE SKIP LOCKED);

  WITH over AS (
    SELECT seq FROM @.revocations WHERE over_us <= v_now ORDER BY over_us LIMIT p_most FOR UPDATE SKIP LOCKED
  ), dropped AS (
    DELETE FROM @.revocations r USING over WHERE r.seq = over.seq RETURNING r.seq, r.kind
  )
  SELECT max(seq) FILTER (WHERE kind = 'lift'), max(seq) INTO v_gone, v_newest FROM dropped;
  IF v_newest IS NOT NULL THEN
    UPDATE @.life SET log_gone_below = greatest(log_gone_below, v_gone), log_newest = greatest(log_newest, v_newest)
      WHERE id = 1;
  END IF;
  RETURN @.take_out(v_now, p_most);
END
$f$;

-- For the operator, after restoring a backup.
CREATE FUNCTION @.raise_epoch() RETURNS void LANGUAGE plpgsql VOLATILE AS $f$
BEGIN
  PERFORM @.begin_work(true);
  UPDATE @.life SET epoch = epoch + 1, since_us = @.wall_us() WHERE id = 1;
END
$f$;
`
