/** The one step in which requests spend their grants. */
export const REDEEM_FUNCTIONS = `
CREATE TYPE @.answer AS (
  n int, state text, reason text, limit_id text, reservation text, at_us bigint, uses_left bigint, event text, outcome text
);

CREATE FUNCTION @.retry_answer(p_n int, u @.uses, p_now bigint) RETURNS @.answer LANGUAGE sql IMMUTABLE AS $f$
  SELECT ROW(p_n, CASE
      WHEN u.state = 'done' AND u.outcome IS NOT NULL THEN 'done'
      WHEN u.state = 'running' AND p_now < u.lease_end_us THEN 'running'
      ELSE 'unknown' END,
    NULL, NULL, NULL, NULL, NULL, u.event, CASE WHEN u.state = 'done' THEN u.outcome END)::@.answer
$f$;

CREATE FUNCTION @.refusal(p_n int, p_reason text, p_limit text DEFAULT NULL) RETURNS @.answer
LANGUAGE sql IMMUTABLE AS $f$
  SELECT ROW(p_n, 'refused', p_reason, p_limit, NULL, NULL, NULL, NULL, NULL)::@.answer
$f$;

-- One request whose grant is known to live, under the lock of its task: what the many of one tick cannot decide at once.
CREATE FUNCTION @.redeem_one(i jsonb, p_now bigint, p_lease bigint, p_due bigint) RETURNS @.answer
LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_n int := (i->>'n')::int;
  v_use @.uses;
  v_grant @.grants;
  v_by text;
  v_charged jsonb;
  v_seq bigint;
  v_left bigint;
BEGIN
  SELECT * INTO v_use FROM @.uses WHERE jti = i->>'jti' AND attempt = i->>'attempt';
  IF FOUND THEN
    IF v_use.event <> i->>'event' OR v_use.digest IS DISTINCT FROM i->>'digest'
      OR (v_use.state <> 'released' AND v_use.idempotency_key IS DISTINCT FROM i->>'key') THEN
      RETURN @.refusal(v_n, 'idempotency-conflict');
    END IF;
    IF v_use.state <> 'running' OR p_now >= v_use.lease_end_us THEN
      RETURN @.retry_answer(v_n, v_use, p_now);
    END IF;
    RETURN ROW(v_n, 'first', NULL, NULL, v_use.secret || '.' || v_use.seq, v_use.at_us, v_use.uses_left, NULL, NULL)::@.answer;
  END IF;
  IF i->>'proof' IS NOT NULL THEN
    INSERT INTO @.proofs (proof, attempt, due_us) VALUES (i->>'proof', i->>'attempt', p_due) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      SELECT attempt INTO v_by FROM @.proofs WHERE proof = i->>'proof';
      IF v_by IS DISTINCT FROM i->>'attempt' THEN RETURN @.refusal(v_n, 'proof-replayed'); END IF;
    END IF;
  END IF;
  IF i->>'key' IS NOT NULL THEN
    SELECT * INTO v_use FROM @.uses
      WHERE txn = i->>'txn' AND audience = i->>'audience' AND idempotency_key = i->>'key';
    IF FOUND THEN
      IF v_use.digest IS DISTINCT FROM i->>'digest' THEN RETURN @.refusal(v_n, 'idempotency-conflict'); END IF;
      RETURN @.retry_answer(v_n, v_use, p_now);
    END IF;
  END IF;
  SELECT * INTO v_grant FROM @.grants WHERE jti = i->>'jti';
  IF v_grant.charges IS NULL THEN
    IF v_grant.used >= v_grant.calls_max THEN
      RETURN @.refusal(v_n, 'grant-exhausted', v_grant.calls_limit);
    END IF;
  ELSE
    v_charged := @.charge(v_grant.charges, v_grant.used, v_grant.jti, v_grant.txn, v_grant.client_id, i->'amounts', 1, p_now);
    IF v_charged ? 'reason' THEN RETURN @.refusal(v_n, v_charged->>'reason', v_charged->>'limit'); END IF;
  END IF;
  v_left := v_grant.calls_max - v_grant.used - 1;
  UPDATE @.grants SET used = used + 1 WHERE jti = v_grant.jti;
  INSERT INTO @.uses (secret, jti, txn, audience, attempt, event, idempotency_key, digest, at_us, lease_end_us, state,
      uses_left, units, resource, outbox)
    VALUES (i->>'secret', v_grant.jti, v_grant.txn, v_grant.audience, i->>'attempt', i->>'event', i->>'key', i->>'digest',
      p_now, p_now + p_lease, 'running', v_left, v_charged->'units', nullif(i->>'resource', v_grant.resource),
      coalesce((i->>'outbox')::boolean, false))
    RETURNING seq INTO v_seq;
  RETURN ROW(v_n, 'first', NULL, NULL, (i->>'secret') || '.' || v_seq, p_now, v_left, NULL, NULL)::@.answer;
END
$f$;

-- All redeems of one tick. Tasks are locked first, in one order; then everything is read in new snapshots. What only
-- counts calls is decided at once, each request by its place among those for the same grant; the rest one by one.
CREATE FUNCTION @.redeem_many(p_items jsonb, p_lease bigint, p_skew bigint, p_timeline boolean) RETURNS SETOF @.answer
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET jit = off AS $f$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_window bigint := 60000000 + 2 * p_skew;
  v_due bigint;
  v_incarnation text;
  v_since bigint;
  v_clients text[];
  v_answers @.answer[];
  v_answer @.answer;
BEGIN
  PERFORM @.begin_work(false);
  PERFORM 1 FROM @.tasks WHERE txn IN (SELECT x->>'txn' FROM jsonb_array_elements(p_items) AS x)
    ORDER BY txn FOR NO KEY UPDATE;
  SELECT array_agg(DISTINCT g.client_id) INTO v_clients FROM @.grants g
    WHERE g.jti IN (SELECT x->>'jti' FROM jsonb_array_elements(p_items) AS x)
      AND g.charges @> '[{"per": "agent"}]';
  IF v_clients IS NOT NULL THEN PERFORM @.lock_agents(v_clients); END IF;
  v_now := @.tick();
  v_due := v_now + v_window + p_skew;
  v_incarnation := @.incarnation(p_timeline);
  SELECT since_us INTO v_since FROM @.life WHERE id = 1;

  WITH items AS (
    SELECT * FROM jsonb_to_recordset(p_items) AS x (n int, attempt text, audience text, issuer text, jti text, txn text,
      client_id text, iat bigint, exp bigint, action text, resource text, jkt text, proof text, accept_until bigint,
      key text, digest text, event text, secret text, outbox boolean)
  ), known AS (
    SELECT i.*, g.charges IS NOT NULL AS is_complex, g.calls_max - g.used AS calls_left, g.calls_limit,
      g.resource AS granted,
      u.seq IS NOT NULL AS was_sent, k.seq IS NOT NULL AS has_key,
      row_number() OVER (PARTITION BY i.jti, i.attempt ORDER BY i.n) AS sending,
      CASE WHEN i.key IS NULL THEN 1 ELSE row_number() OVER (PARTITION BY i.txn, i.audience, i.key ORDER BY i.n) END AS trial,
      CASE
        WHEN g.jti IS NULL AND v_now >= i.exp THEN 'token-expired'
        WHEN g.jti IS NULL AND i.iat < v_since / 1000000 * 1000000 THEN 'incarnation-mismatch'
        WHEN g.jti IS NULL THEN 'grant-unknown'
        WHEN i.audience IS DISTINCT FROM g.audience THEN 'audience-mismatch'
        WHEN i.issuer IS DISTINCT FROM g.issuer OR i.txn IS DISTINCT FROM g.txn THEN 'grant-unknown'
        WHEN i.client_id IS DISTINCT FROM g.client_id THEN 'grant-unknown'
        WHEN i.iat IS DISTINCT FROM g.iat_us OR i.exp IS DISTINCT FROM g.exp_us THEN 'grant-unknown'
        WHEN i.action IS DISTINCT FROM g.action THEN 'action-mismatch'
        WHEN @.matches(g.resource, i.resource) IS NOT TRUE THEN 'resource-mismatch'
        WHEN g.jkt IS NOT NULL AND i.jkt IS NULL THEN 'proof-missing'
        WHEN g.jkt <> i.jkt THEN 'binding-failed'
        ELSE @.why_dead(g, t, v_now, v_incarnation)
      END AS dead
    FROM items i
    LEFT JOIN @.grants g ON g.jti = i.jti
    LEFT JOIN @.tasks t ON t.txn = g.txn
    LEFT JOIN @.uses u ON u.jti = i.jti AND u.attempt = i.attempt
    LEFT JOIN @.uses k ON k.txn = i.txn AND k.audience = i.audience AND k.idempotency_key = i.key
  ), judged AS (
    SELECT *, CASE
      WHEN dead IS NOT NULL THEN dead
      WHEN NOT was_sent AND proof IS NOT NULL
        AND NOT coalesce(v_now < accept_until AND accept_until <= v_now + v_window, false) THEN 'proof-time'
      END AS reason
    FROM known
  ), marked AS (
    INSERT INTO @.proofs (proof, attempt, due_us)
    SELECT DISTINCT ON (proof) proof, attempt, v_due FROM judged
      WHERE reason IS NULL AND NOT was_sent AND proof IS NOT NULL ORDER BY proof, n
    ON CONFLICT DO NOTHING RETURNING proof, attempt
  ), plain AS (
    SELECT j.*, row_number() OVER (PARTITION BY j.jti ORDER BY j.n) AS place
    FROM judged j LEFT JOIN marked m ON m.proof = j.proof AND m.attempt = j.attempt
    WHERE j.reason IS NULL AND NOT j.was_sent AND NOT j.has_key AND j.sending = 1 AND j.trial = 1
      AND NOT j.is_complex AND (j.proof IS NULL OR m.proof IS NOT NULL)
  ), charged AS (
    UPDATE @.grants g SET used = g.used + p.uses
    FROM (SELECT jti, count(*) AS uses FROM plain WHERE place <= calls_left GROUP BY jti) AS p WHERE g.jti = p.jti
  ), taken AS (
    INSERT INTO @.uses (secret, jti, txn, audience, attempt, event, idempotency_key, digest, at_us, lease_end_us, state,
      uses_left, resource, outbox)
    SELECT secret, jti, txn, audience, attempt, event, key, digest, v_now, v_now + p_lease, 'running', calls_left - place,
      nullif(resource, granted), coalesce(outbox, false)
      FROM plain WHERE place <= calls_left
    RETURNING seq, jti, attempt
  )
  SELECT array_agg(CASE
      WHEN j.reason IS NOT NULL THEN @.refusal(j.n, j.reason)
      WHEN p.n IS NULL THEN ROW(j.n, 'open', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::@.answer
      WHEN t.seq IS NULL THEN @.refusal(j.n, 'grant-exhausted', j.calls_limit)
      ELSE ROW(j.n, 'first', NULL, NULL, j.secret || '.' || t.seq, v_now, p.calls_left - p.place, NULL, NULL)::@.answer
    END ORDER BY j.n)
    INTO v_answers
    FROM judged j
    LEFT JOIN plain p ON p.n = j.n
    LEFT JOIN taken t ON t.jti = p.jti AND t.attempt = p.attempt;

  FOREACH v_answer IN ARRAY coalesce(v_answers, ARRAY[]::@.answer[]) LOOP
    IF v_answer.state = 'open' THEN
      v_answer := @.redeem_one(p_items->v_answer.n, v_now, p_lease, v_due);
    END IF;
    RETURN NEXT v_answer;
  END LOOP;
END
$f$;

CREATE FUNCTION @.settle_many(p_items jsonb) RETURNS void LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_now bigint;
BEGIN
  PERFORM @.begin_work(false);
  -- In one order, so that two that settle the same never wait for each other.
  PERFORM 1 FROM @.uses WHERE seq IN (SELECT (x->>'seq')::bigint FROM jsonb_array_elements(p_items) AS x)
    ORDER BY seq FOR NO KEY UPDATE;
  v_now := @.tick();
  UPDATE @.uses u SET state = 'done', outcome = CASE WHEN u.idempotency_key IS NULL THEN i.bare ELSE i.outcome END
    FROM (SELECT DISTINCT ON (seq) * FROM jsonb_to_recordset(p_items)
      AS x (seq bigint, secret text, n int, bare text, outcome text) ORDER BY seq, n) AS i
    WHERE u.seq = i.seq AND u.secret = i.secret AND u.state = 'running' AND v_now < u.lease_end_us;
END
$f$;

CREATE FUNCTION @.give_back(p_seq bigint, p_secret text, p_by text, p_timeline boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_use @.uses;
  v_grant @.grants;
  v_task @.tasks;
  v_now bigint;
  v_limit jsonb;
  v_index int := 0;
BEGIN
  PERFORM @.begin_work(false);
  SELECT * INTO v_use FROM @.uses WHERE seq = p_seq AND secret = p_secret;
  IF NOT FOUND THEN RETURN false; END IF;
  SELECT * INTO v_task FROM @.tasks WHERE txn = v_use.txn FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  SELECT * INTO v_use FROM @.uses WHERE seq = p_seq FOR NO KEY UPDATE;
  IF v_use.released_by = p_by THEN RETURN true; END IF;
  SELECT * INTO v_grant FROM @.grants WHERE jti = v_use.jti;
  IF NOT FOUND THEN RETURN false; END IF;
  IF v_grant.charges IS NOT NULL THEN PERFORM @.lock_agents(ARRAY[v_grant.client_id]); END IF;
  v_now := @.tick();
  IF v_use.state <> 'running' OR v_now >= v_use.lease_end_us
    OR @.why_dead(v_grant, v_task, v_now, @.incarnation(p_timeline)) IS NOT NULL THEN
    RETURN false;
  END IF;
  UPDATE @.uses SET state = 'released', idempotency_key = NULL, released_by = p_by WHERE seq = p_seq;
  UPDATE @.grants SET used = used - 1 WHERE jti = v_use.jti;
  -- For whoever sweeps, if the one that is told does not live to put it on record.
  IF v_use.outbox THEN
    INSERT INTO @.outbox (kind, body, due_us) VALUES ('released', @.use_json(v_use), v_now + 30000000);
  END IF;
  IF v_grant.charges IS NOT NULL THEN
    FOR v_limit IN SELECT * FROM jsonb_array_elements(v_grant.charges) LOOP
      IF NOT @.is_own_calls(v_limit) THEN
        -- A window that is over has nothing to get back.
        UPDATE @.counters SET spent = spent - (v_use.units->>v_index)::bigint
          WHERE scope = v_limit->>'per'
            AND holder = @.holder_of(v_limit, v_grant.jti, v_grant.txn, v_grant.client_id)
            AND limit_id = v_limit->>'id' AND window_seconds = coalesce((v_limit->>'window_seconds')::bigint, 0)
            AND window_number = @.window_of(v_limit, v_use.at_us);
      END IF;
      v_index := v_index + 1;
    END LOOP;
  END IF;
  RETURN true;
END
$f$;
`
