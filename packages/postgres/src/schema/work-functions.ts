/** What every operation begins with: its transaction's guarantees, its locks, its time. */
export const WORK_FUNCTIONS = `
CREATE FUNCTION @.wall_us() RETURNS bigint LANGUAGE sql VOLATILE AS $f$
  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$f$;

-- Which life of the database this is. The system identifier never changes under one connection.
CREATE FUNCTION @.incarnation(p_timeline boolean) RETURNS text LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_system text := current_setting('hallpass.system_identifier', true);
BEGIN
  IF coalesce(v_system, '') = '' THEN
    SELECT system_identifier::text INTO v_system FROM pg_control_system();
    PERFORM set_config('hallpass.system_identifier', v_system, false);
  END IF;
  RETURN 'pg_' || v_system || '.'
    || CASE WHEN p_timeline THEN ltrim(left(pg_walfile_name(pg_current_wal_lsn()), 8), '0') ELSE 'any' END
    || '.' || (SELECT epoch FROM @.life WHERE id = 1);
END
$f$;

-- Never goes back: what was answered stays behind in the life row, every second, without anybody waiting for it.
CREATE FUNCTION @.tick() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_now bigint := @.wall_us();
  v_mark bigint;
BEGIN
  SELECT clock_us INTO v_mark FROM @.life WHERE id = 1;
  IF v_now > v_mark + 1000000 THEN
    UPDATE @.life SET clock_us = v_now
      WHERE id = (SELECT id FROM @.life WHERE id = 1 AND clock_us < v_now FOR UPDATE SKIP LOCKED);
  END IF;
  RETURN greatest(v_now, v_mark);
END
$f$;

-- Every statement needs a snapshot of its own, taken after the locks; and a commit has to be on the disk.
-- A wide revocation keeps everybody else out; all others share.
CREATE FUNCTION @.begin_work(p_wide boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $f$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'The ledger runs in READ COMMITTED only, and the connection is in %',
      current_setting('transaction_isolation') USING ERRCODE = 'HP002';
  END IF;
  IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  IF p_wide THEN
    PERFORM pg_advisory_xact_lock(@LOCK, 1);
  ELSE
    PERFORM pg_advisory_xact_lock_shared(@LOCK, 1);
  END IF;
END
$f$;

CREATE FUNCTION @.matches(p_pattern text, p_resource text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $f$
  SELECT position('*' IN p_resource) = 0 AND CASE
    WHEN right(p_pattern, 2) <> ':*' THEN p_pattern = p_resource
    ELSE position(':' IN p_pattern) = length(p_pattern) - 1 AND length(p_pattern) > 2
      AND length(p_resource) > length(p_pattern) - 1 AND starts_with(p_resource, left(p_pattern, -1))
  END
$f$;

-- Why a grant is good for nothing any more, its uses aside; null while it lives.
CREATE FUNCTION @.why_dead(g @.grants, t @.tasks, p_now bigint, p_incarnation text) RETURNS text
LANGUAGE sql IMMUTABLE AS $f$
  SELECT CASE
    WHEN t.txn IS NULL THEN 'task-unknown'
    WHEN t.incarnation <> p_incarnation THEN 'incarnation-mismatch'
    WHEN g.revoked_at_us IS NOT NULL OR t.end_how = 'revoked' THEN 'grant-revoked'
    WHEN t.end_how = 'expired' OR (t.end_how IS NULL AND p_now >= t.deadline_us) THEN 'task-expired'
    WHEN t.end_how IS NOT NULL THEN 'task-ended'
    WHEN p_now >= g.exp_us THEN 'token-expired'
  END
$f$;

CREATE FUNCTION @.window_of(p_limit jsonb, p_at bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$
  SELECT coalesce(floor(p_at::numeric / ((p_limit->>'window_seconds')::bigint * 1000000))::bigint, 0)
$f$;

CREATE FUNCTION @.is_own_calls(p_limit jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $f$
  SELECT p_limit->>'per' = 'grant' AND p_limit->>'parameter' IS NULL
$f$;

CREATE FUNCTION @.holder_of(p_limit jsonb, p_jti text, p_txn text, p_client text) RETURNS text
LANGUAGE sql IMMUTABLE AS $f$
  SELECT CASE p_limit->>'per' WHEN 'grant' THEN p_jti WHEN 'task' THEN p_txn ELSE p_client END
$f$;

-- Agents' counters are shared by tasks that do not lock each other: they are locked in one order, after the tasks.
CREATE FUNCTION @.lock_agents(p_clients text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $f$
BEGIN
  PERFORM 1 FROM @.counters WHERE scope = 'agent' AND holder = ANY (p_clients)
    ORDER BY holder, limit_id, window_seconds FOR NO KEY UPDATE;
END
$f$;

-- Charges every limit, or none and says which one does not fit. The units, by limit, come back as 'units'.
CREATE FUNCTION @.charge(p_limits jsonb, p_used bigint, p_jti text, p_txn text, p_client text,
  p_amounts jsonb, p_uses bigint, p_now bigint) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_limit jsonb;
  v_units numeric;
  v_spent numeric;
  v_charged jsonb := '[]';
  v_index int := 0;
BEGIN
  FOR v_limit IN SELECT * FROM jsonb_array_elements(p_limits) LOOP
    v_units := CASE WHEN v_limit->>'parameter' IS NULL THEN 1
      ELSE (p_amounts->>(v_limit->>'parameter'))::numeric END * p_uses;
    IF v_units IS NULL OR v_units > 9007199254740991 THEN
      RETURN jsonb_build_object('reason', 'amount-invalid', 'limit', v_limit->>'id');
    END IF;
    IF @.is_own_calls(v_limit) THEN
      v_spent := p_used;
    ELSE
      -- A later window was begun before the clock fell back: it counts on.
      SELECT CASE WHEN c.window_number >= @.window_of(v_limit, p_now) THEN c.spent ELSE 0 END INTO v_spent
        FROM @.counters c
        WHERE c.scope = v_limit->>'per' AND c.holder = @.holder_of(v_limit, p_jti, p_txn, p_client)
          AND c.limit_id = v_limit->>'id' AND c.window_seconds = coalesce((v_limit->>'window_seconds')::bigint, 0);
    END IF;
    IF coalesce(v_spent, 0) + v_units > (v_limit->>'max')::numeric THEN
      RETURN jsonb_build_object('limit', v_limit->>'id', 'reason',
        CASE WHEN @.is_own_calls(v_limit) THEN 'grant-exhausted' ELSE 'limit-exceeded' END);
    END IF;
    v_charged := v_charged || to_jsonb(v_units);
  END LOOP;
  FOR v_limit IN SELECT * FROM jsonb_array_elements(p_limits) LOOP
    IF NOT @.is_own_calls(v_limit) THEN
      PERFORM @.add_to_counter(v_limit, p_jti, p_txn, p_client, (v_charged->>v_index)::bigint, p_now);
    END IF;
    v_index := v_index + 1;
  END LOOP;
  RETURN jsonb_build_object('units', v_charged);
END
$f$;

CREATE FUNCTION @.add_to_counter(p_limit jsonb, p_jti text, p_txn text, p_client text, p_units bigint, p_now bigint)
RETURNS void LANGUAGE sql VOLATILE AS $f$
  INSERT INTO @.counters AS c
    (scope, holder, limit_id, window_seconds, parameter, scale, unit, window_number, spent)
  VALUES (p_limit->>'per', @.holder_of(p_limit, p_jti, p_txn, p_client), p_limit->>'id',
    coalesce((p_limit->>'window_seconds')::bigint, 0), p_limit->>'parameter',
    coalesce((p_limit->>'scale')::bigint, 0), p_limit->>'unit', @.window_of(p_limit, p_now), p_units)
  ON CONFLICT (scope, holder, limit_id, window_seconds) DO UPDATE SET
    spent = excluded.spent + CASE WHEN c.window_number >= excluded.window_number THEN c.spent ELSE 0 END,
    window_number = greatest(c.window_number, excluded.window_number)
$f$;
`
