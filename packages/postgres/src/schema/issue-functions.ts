/** What makes tasks and grants known. */
export const ISSUE_FUNCTIONS = `
-- What of an issue is stopped: names come in the order in which they are looked for, each with its reason.
CREATE FUNCTION @.why_stopped(p_names jsonb) RETURNS text LANGUAGE sql STABLE AS $f$
  SELECT n->>1 FROM jsonb_array_elements(p_names) WITH ORDINALITY AS x (n, place)
    JOIN @.stops s ON s.name = n->>0 ORDER BY place LIMIT 1
$f$;

-- Null, or why not. An agent's tasks are opened one after the other, so that the count holds.
CREATE FUNCTION @.open_task(p jsonb, p_record text, p_resend boolean, p_timeline boolean) RETURNS text
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_now bigint;
  v_incarnation text;
  v_reason text;
  v_known text;
BEGIN
  PERFORM @.begin_work(false);
  PERFORM pg_advisory_xact_lock(@NAMES, hashtext('agent ' || (p->>'client_id')));
  v_now := @.tick();
  v_incarnation := @.incarnation(p_timeline);
  IF p->>'incarnation' <> v_incarnation THEN RETURN 'incarnation-mismatch'; END IF;
  IF v_now >= (p->>'deadline')::bigint THEN RETURN 'task-expired'; END IF;
  IF (p->>'deadline')::bigint - v_now > (p->>'max_task')::bigint THEN RETURN 'lifetime-exceeded'; END IF;
  v_reason := @.why_stopped(p->'stops');
  IF v_reason IS NOT NULL THEN RETURN v_reason; END IF;
  SELECT record INTO v_known FROM @.tasks WHERE txn = p->>'txn';
  IF FOUND THEN RETURN CASE WHEN p_resend AND v_known = p_record THEN NULL ELSE 'request-invalid' END; END IF;
  IF (SELECT count(*) FROM @.tasks WHERE client_id = p->>'client_id' AND end_how IS NULL AND deadline_us > v_now
      AND incarnation = v_incarnation) >= (p->>'max_open')::numeric THEN
    RETURN 'too-many-open-tasks';
  END IF;
  INSERT INTO @.tasks (txn, client_id, owner, policy_version, deadline_us, incarnation, record)
    VALUES (p->>'txn', p->>'client_id', p->>'owner', p->>'policy_version', (p->>'deadline')::bigint, v_incarnation, p_record)
    ON CONFLICT DO NOTHING;
  RETURN CASE WHEN FOUND THEN NULL ELSE 'request-invalid' END;
END
$f$;

-- Null, or { reason, limit }. Revocations are read after the task is locked, in new snapshots.
CREATE FUNCTION @.register_grant(p jsonb, p_record text, p_resend boolean, p_skew bigint, p_timeline boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $f$
DECLARE
  v_now bigint;
  v_task @.tasks;
  v_reason text;
  v_known text;
  v_other text;
  v_limit jsonb;
  v_charged jsonb;
  v_exp bigint := (p->>'exp')::bigint;
  v_iat bigint := (p->>'iat')::bigint;
BEGIN
  PERFORM @.begin_work(false);
  IF p->>'incarnation' <> @.incarnation(p_timeline) THEN RETURN '{"reason": "incarnation-mismatch"}'; END IF;
  SELECT * INTO v_task FROM @.tasks WHERE txn = p->>'txn' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN '{"reason": "task-unknown"}'; END IF;
  IF p->>'client_id' <> v_task.client_id OR p->>'owner' <> v_task.owner THEN RETURN '{"reason": "request-invalid"}'; END IF;
  IF v_task.incarnation <> p->>'incarnation' THEN RETURN '{"reason": "incarnation-mismatch"}'; END IF;
  SELECT record INTO v_known FROM @.grants WHERE jti = p->>'jti';
  IF FOUND AND p_resend AND v_known = p_record THEN RETURN NULL; END IF;
  -- Nobody else starts or charges this agent's counters meanwhile, those that are there and those that are not yet.
  IF ((p->'limits') || (p->'issue_limits')) @> '[{"per": "agent"}]' THEN
    PERFORM pg_advisory_xact_lock(@NAMES, hashtext('agent ' || v_task.client_id));
    PERFORM @.lock_agents(ARRAY[v_task.client_id]);
  END IF;
  v_now := @.tick();
  v_reason := CASE
    WHEN v_task.end_how = 'expired' OR (v_task.end_how IS NULL AND v_now >= v_task.deadline_us) THEN 'task-expired'
    WHEN v_task.end_how IS NOT NULL THEN 'task-ended'
    ELSE @.why_stopped(p->'stops') END;
  v_reason := coalesce(v_reason, CASE
    WHEN v_now >= v_exp THEN 'token-expired'
    WHEN v_iat > v_now + p_skew THEN 'not-yet-valid'
    WHEN v_exp > v_task.deadline_us OR v_exp - v_iat > 900000000 THEN 'lifetime-exceeded' END);
  SELECT l->>'id' INTO v_other FROM jsonb_array_elements((p->'limits') || (p->'issue_limits')) AS l
    JOIN @.counters c ON c.scope = l->>'per'
      AND c.holder = @.holder_of(l, p->>'jti', p->>'txn', p->>'client_id')
      AND c.limit_id = l->>'id' AND c.window_seconds = coalesce((l->>'window_seconds')::bigint, 0)
    WHERE c.parameter IS DISTINCT FROM l->>'parameter' OR c.scale <> coalesce((l->>'scale')::bigint, 0)
      OR c.unit IS DISTINCT FROM l->>'unit' LIMIT 1;
  IF v_reason IS NULL AND v_other IS NOT NULL THEN
    RETURN jsonb_build_object('reason', 'details-invalid', 'limit', v_other);
  END IF;
  IF v_reason IS NULL AND v_known IS NOT NULL THEN v_reason := 'request-invalid'; END IF;
  IF v_reason IS NOT NULL THEN RETURN jsonb_build_object('reason', v_reason); END IF;
  INSERT INTO @.grants (jti, issuer, txn, client_id, audience, action, resource, policy_version, iat_us, exp_us, jkt,
      calls_max, calls_limit, charges, record)
    VALUES (p->>'jti', p->>'issuer', p->>'txn', p->>'client_id', p->>'audience', p->>'action', p->>'resource',
      p->>'policy_version', v_iat, v_exp, p->>'jkt', (p->>'calls_max')::bigint, p->>'calls_limit',
      CASE WHEN p->'is_plain' = 'true' THEN NULL ELSE p->'limits' END, p_record)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN '{"reason": "request-invalid"}'; END IF;
  IF p->'issue_limits' <> '[]' THEN
    v_charged := @.charge(p->'issue_limits', 0, p->>'jti', p->>'txn', p->>'client_id', p->'issue_amounts',
      (p->>'issue_uses')::bigint, v_now);
    IF v_charged ? 'reason' THEN
      DELETE FROM @.grants WHERE jti = p->>'jti';
      RETURN v_charged;
    END IF;
  END IF;
  PERFORM @.start_counters(p);
  UPDATE @.tasks SET grants_issued = grants_issued + 1 WHERE txn = p->>'txn';
  RETURN NULL;
END
$f$;

-- Counters that nobody started before begin with nothing. In one order: another task of the agent may start them too.
CREATE FUNCTION @.start_counters(p jsonb) RETURNS void LANGUAGE sql VOLATILE AS $f$
  INSERT INTO @.counters (scope, holder, limit_id, window_seconds, parameter, scale, unit, window_number, spent)
  SELECT l->>'per', @.holder_of(l, p->>'jti', p->>'txn', p->>'client_id'), l->>'id',
    coalesce((l->>'window_seconds')::bigint, 0), l->>'parameter', coalesce((l->>'scale')::bigint, 0), l->>'unit', 0, 0
  FROM jsonb_array_elements(p->'limits') AS l WHERE NOT @.is_own_calls(l) ORDER BY 1, 2, 3, 4
  ON CONFLICT DO NOTHING
$f$;
`
