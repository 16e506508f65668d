/** What kills, and the log of it. */
export const REVOKE_FUNCTIONS = `
-- Whoever adds a line shares this lock until its commit; a reader takes it alone, and so never sees a line before
-- one with a lower number that is still to be committed.
CREATE FUNCTION @.lock_log() RETURNS void LANGUAGE sql VOLATILE AS $f$
  SELECT pg_advisory_xact_lock_shared(@LOCK, 2)
$f$;

CREATE FUNCTION @.log_killed(p_killed text[], p_reason text, p_now bigint, p_skew bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $f$
BEGIN
  IF p_killed = '{}' THEN RETURN; END IF;
  PERFORM @.lock_log();
  INSERT INTO @.revocations (kind, at_us, reason, jti, record, over_us)
    SELECT 'grant', p_now, p_reason, g.jti, g.record, g.exp_us + p_skew FROM @.grants g
      WHERE g.jti = ANY (p_killed) ORDER BY g.seq;
END
$f$;

-- What is alive of the grants of some tasks.
CREATE FUNCTION @.living_in(p_tasks text[], p_now bigint) RETURNS text[] LANGUAGE sql VOLATILE AS $f$
  SELECT coalesce(array_agg(jti ORDER BY seq), '{}') FROM @.grants
    WHERE txn = ANY (p_tasks) AND revoked_at_us IS NULL AND exp_us > p_now
$f$;

CREATE FUNCTION @.effect(p_tasks text[], p_killed text[]) RETURNS jsonb LANGUAGE sql VOLATILE AS $f$
  SELECT jsonb_build_object('tasks', p_tasks, 'grants',
    (SELECT coalesce(jsonb_agg(record ORDER BY seq), '[]') FROM @.grants WHERE jti = ANY (p_killed)))
$f$;

-- Null when the task was not open.
CREATE FUNCTION @.end_task(p_txn text, p_how text, p_reason text, p_skew bigint, p_timeline boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_task @.tasks;
  v_now bigint;
  v_killed text[];
BEGIN
  PERFORM @.begin_work(false);
  SELECT * INTO v_task FROM @.tasks WHERE txn = p_txn FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  v_now := @.tick();
  IF v_task.end_how IS NOT NULL OR v_now >= v_task.deadline_us OR v_task.incarnation <> @.incarnation(p_timeline) THEN
    RETURN NULL;
  END IF;
  v_killed := @.living_in(ARRAY[p_txn], v_now);
  UPDATE @.tasks SET end_how = p_how, end_at_us = v_now, end_reason = p_reason WHERE txn = p_txn;
  PERFORM @.log_killed(v_killed, coalesce(p_reason, p_how), v_now, p_skew);
  RETURN @.effect(ARRAY[p_txn], v_killed);
END
$f$;

-- A wide revocation keeps every other operation out until it is committed: nothing is issued or used meanwhile that it
-- did not see. One of a task or grant locks the task.
CREATE FUNCTION @.revoke(p_target jsonb, p_stop text, p_reason text, p_dry boolean, p_skew bigint, p_timeline boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_kind text := p_target->>'kind';
  v_now bigint;
  v_incarnation text;
  v_txn text := p_target->>'txn';
  v_tasks text[] := '{}';
  v_own text[] := '{}';
  v_killed text[];
BEGIN
  PERFORM @.begin_work(p_stop IS NOT NULL AND NOT p_dry);
  IF v_kind = 'grant' THEN
    SELECT txn INTO v_txn FROM @.grants WHERE jti = p_target->>'jti';
  END IF;
  IF v_txn IS NOT NULL THEN PERFORM 1 FROM @.tasks WHERE txn = v_txn FOR NO KEY UPDATE; END IF;
  v_now := @.tick();
  v_incarnation := @.incarnation(p_timeline);
  SELECT coalesce(array_agg(t.txn ORDER BY t.seq), '{}') INTO v_tasks FROM @.tasks t
    WHERE t.end_how IS NULL AND t.deadline_us > v_now AND t.incarnation = v_incarnation AND CASE v_kind
      WHEN 'task' THEN t.txn = v_txn
      WHEN 'agent' THEN t.client_id = p_target->>'clientId'
      WHEN 'owner' THEN t.owner = p_target->>'owner'
      WHEN 'policy-version' THEN t.policy_version = p_target->>'version'
      WHEN 'everything' THEN true
      ELSE false END;
  IF v_kind IN ('grant', 'action', 'policy-version') THEN
    SELECT coalesce(array_agg(g.jti ORDER BY g.seq), '{}') INTO v_own
      FROM @.grants g JOIN @.tasks t ON t.txn = g.txn
      WHERE t.end_how IS NULL AND t.deadline_us > v_now AND t.incarnation = v_incarnation AND t.txn <> ALL (v_tasks)
        AND g.revoked_at_us IS NULL AND g.exp_us > v_now AND CASE v_kind
          WHEN 'grant' THEN g.jti = p_target->>'jti'
          WHEN 'action' THEN g.audience = p_target->>'audience' AND g.action = p_target->>'action'
          ELSE g.policy_version = p_target->>'version' END;
  END IF;
  v_killed := @.living_in(v_tasks, v_now) || v_own;
  IF p_dry THEN RETURN @.effect(v_tasks, v_killed); END IF;
  IF p_stop IS NOT NULL THEN
    INSERT INTO @.stops (name, reason, at_us) VALUES (p_stop, p_reason, v_now) ON CONFLICT DO NOTHING;
    IF FOUND THEN
      PERFORM @.lock_log();
      INSERT INTO @.revocations (kind, at_us, reason, target, stop_name)
        VALUES ('stop', v_now, p_reason, p_target::text, p_stop);
    END IF;
  END IF;
  UPDATE @.tasks SET end_how = 'revoked', end_at_us = v_now, end_reason = p_reason WHERE txn = ANY (v_tasks);
  UPDATE @.grants SET revoked_at_us = v_now, revoked_reason = p_reason WHERE jti = ANY (v_own);
  PERFORM @.log_killed(v_killed, p_reason, v_now, p_skew);
  RETURN @.effect(v_tasks, v_killed);
END
$f$;

CREATE FUNCTION @.resume(p_target jsonb, p_stop text, p_reason text, p_skew bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_now bigint;
BEGIN
  PERFORM @.begin_work(true);
  v_now := @.tick();
  DELETE FROM @.stops WHERE name = p_stop;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM @.lock_log();
  UPDATE @.revocations SET stop_name = NULL, over_us = v_now WHERE stop_name = p_stop;
  INSERT INTO @.revocations (kind, at_us, reason, target, over_us)
    VALUES ('lift', v_now, p_reason, p_target::text, v_now + 900000000 + 2 * p_skew);
  RETURN true;
END
$f$;

-- Null when the cursor is not one to go on from. The time is read first: whatever was acknowledged by then is found.
CREATE FUNCTION @.read_log(p_after text, p_limit int, p_timeline boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $f$
DECLARE
  v_now bigint;
  v_prefix text := @.incarnation(p_timeline) || '.';
  v_from bigint := 0;
  v_newest bigint;
  v_lines jsonb;
  v_last bigint;
BEGIN
  PERFORM @.begin_work(false);
  IF p_after IS NOT NULL THEN
    IF NOT starts_with(p_after, v_prefix) OR substr(p_after, length(v_prefix) + 1) !~ '^(0|[1-9][0-9]{0,15})$' THEN
      RETURN NULL;
    END IF;
    v_from := substr(p_after, length(v_prefix) + 1)::bigint;
  END IF;
  v_now := @.tick();
  PERFORM pg_advisory_xact_lock(@LOCK, 2);
  SELECT coalesce(jsonb_agg(to_jsonb(l) ORDER BY l.seq), '[]'), max(l.seq) INTO v_lines, v_last
    FROM (SELECT * FROM @.revocations WHERE seq > v_from ORDER BY seq LIMIT p_limit) AS l;
  SELECT greatest(log_gone_below, (SELECT coalesce(max(seq), 0) FROM @.revocations), log_newest) INTO v_newest
    FROM @.life WHERE id = 1;
  IF p_after IS NOT NULL AND (v_from > v_newest OR v_from < (SELECT log_gone_below FROM @.life WHERE id = 1)) THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_object('lines', v_lines, 'cursor', v_prefix || coalesce(v_last, v_from), 'at', v_now,
    'more', EXISTS (SELECT 1 FROM @.revocations WHERE seq > coalesce(v_last, v_from)));
END
$f$;
`
