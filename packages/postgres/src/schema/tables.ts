/** `@.` stands for the schema. `docs/storage-schema.md` says what each column is for. */
export const TABLES = `
CREATE TABLE @.life (
  id int PRIMARY KEY CHECK (id = 1),
  epoch bigint NOT NULL,
  since_us bigint NOT NULL,
  clock_us bigint NOT NULL,
  log_gone_below bigint NOT NULL DEFAULT 0,
  log_newest bigint NOT NULL DEFAULT 0
);
CREATE TABLE @.tasks (
  txn text PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  client_id text NOT NULL,
  owner text NOT NULL,
  policy_version text NOT NULL,
  deadline_us bigint NOT NULL,
  incarnation text NOT NULL,
  record text NOT NULL,
  grants_issued bigint NOT NULL DEFAULT 0,
  refusals bigint NOT NULL DEFAULT 0,
  past_uses jsonb NOT NULL DEFAULT '{}',
  end_how text,
  end_at_us bigint,
  end_reason text
) WITH (fillfactor = 80);
CREATE INDEX tasks_agent ON @.tasks (client_id);
CREATE INDEX tasks_deadline ON @.tasks (deadline_us) WHERE end_how IS NULL;
CREATE INDEX tasks_ended ON @.tasks (end_at_us) WHERE end_how IS NOT NULL;
CREATE TABLE @.grants (
  jti text PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  issuer text NOT NULL,
  txn text NOT NULL,
  client_id text NOT NULL,
  audience text NOT NULL,
  action text NOT NULL,
  resource text NOT NULL,
  policy_version text NOT NULL,
  iat_us bigint NOT NULL,
  exp_us bigint NOT NULL,
  jkt text,
  calls_max bigint NOT NULL,
  calls_limit text NOT NULL,
  used bigint NOT NULL DEFAULT 0,
  charges jsonb,
  record text NOT NULL,
  revoked_at_us bigint,
  revoked_reason text,
  reported boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX grants_task ON @.grants (txn);
CREATE INDEX grants_end ON @.grants (exp_us);
CREATE TABLE @.counters (
  scope text NOT NULL,
  holder text NOT NULL,
  limit_id text NOT NULL,
  window_seconds bigint NOT NULL,
  parameter text,
  scale bigint NOT NULL,
  unit text,
  window_number bigint NOT NULL,
  spent bigint NOT NULL,
  PRIMARY KEY (scope, holder, limit_id, window_seconds)
) WITH (fillfactor = 70);
CREATE TABLE @.uses (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  secret text NOT NULL,
  jti text NOT NULL,
  txn text NOT NULL,
  audience text NOT NULL,
  attempt text NOT NULL,
  event text NOT NULL,
  idempotency_key text,
  digest text,
  at_us bigint NOT NULL,
  lease_end_us bigint NOT NULL,
  state text NOT NULL,
  uses_left bigint NOT NULL,
  units jsonb,
  outcome text,
  released_by text
);
CREATE UNIQUE INDEX uses_attempt ON @.uses (jti, attempt);
CREATE UNIQUE INDEX uses_key ON @.uses (txn, audience, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX uses_lease ON @.uses (lease_end_us) WHERE state = 'running';
CREATE TABLE @.proofs (
  proof text PRIMARY KEY,
  attempt text NOT NULL,
  due_us bigint NOT NULL
);
CREATE INDEX proofs_due ON @.proofs (due_us);
CREATE TABLE @.marks (
  name text PRIMARY KEY,
  due_us bigint NOT NULL
);
CREATE INDEX marks_due ON @.marks (due_us);
CREATE TABLE @.bindings (
  assertion text NOT NULL,
  jkt text NOT NULL,
  due_us bigint NOT NULL,
  PRIMARY KEY (assertion, jkt)
);
CREATE INDEX bindings_due ON @.bindings (due_us);
CREATE TABLE @.stops (
  name text PRIMARY KEY,
  reason text NOT NULL,
  at_us bigint NOT NULL
);
CREATE TABLE @.revocations (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  at_us bigint NOT NULL,
  reason text NOT NULL,
  jti text,
  record text,
  target text,
  stop_name text,
  over_us bigint
);
CREATE INDEX revocations_over ON @.revocations (over_us) WHERE over_us IS NOT NULL;
CREATE INDEX revocations_stop ON @.revocations (stop_name) WHERE stop_name IS NOT NULL;
CREATE TABLE @.status_series (
  name text PRIMARY KEY,
  taken bigint NOT NULL,
  until_us bigint NOT NULL
);
INSERT INTO @.life (id, epoch, since_us, clock_us)
  SELECT 1, 1, wall, wall FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wall) AS w;
`
