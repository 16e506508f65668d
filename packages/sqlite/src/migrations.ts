/**
 * Every version of the schema, oldest first: number n takes a file from version n - 1 to n. What stands here was
 * shipped: it is never edited, only added to. `docs/storage-schema.md` says what each column is for.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE hallpass_life (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    store TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    since_us INTEGER NOT NULL,
    clock_us INTEGER NOT NULL,
    log_gone_below INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE hallpass_task (
    txn TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    deadline_us INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    record TEXT NOT NULL,
    grants_issued INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    past_uses TEXT,
    end_how TEXT,
    end_at_us INTEGER,
    end_reason TEXT
  );
  CREATE INDEX hallpass_task_open ON hallpass_task (client_id, deadline_us) WHERE end_how IS NULL;
  CREATE INDEX hallpass_task_deadline ON hallpass_task (deadline_us) WHERE end_how IS NULL;
  CREATE INDEX hallpass_task_ended ON hallpass_task (end_at_us) WHERE end_how IS NOT NULL;
  CREATE INDEX hallpass_task_agent ON hallpass_task (client_id);
  CREATE TABLE hallpass_grant (
    jti TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    txn TEXT NOT NULL,
    client_id TEXT NOT NULL,
    audience TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    iat_us INTEGER NOT NULL,
    exp_us INTEGER NOT NULL,
    jkt TEXT,
    calls_max INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    charges TEXT,
    record TEXT NOT NULL,
    revoked_at_us INTEGER,
    revoked_reason TEXT
  );
  CREATE INDEX hallpass_grant_task ON hallpass_grant (txn);
  CREATE INDEX hallpass_grant_end ON hallpass_grant (exp_us);
  CREATE TABLE hallpass_counter (
    scope TEXT NOT NULL,
    holder TEXT NOT NULL,
    limit_id TEXT NOT NULL,
    window_seconds INTEGER NOT NULL,
    parameter TEXT,
    scale INTEGER NOT NULL,
    unit TEXT,
    window_number INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (scope, holder, limit_id, window_seconds)
  ) WITHOUT ROWID;
  CREATE TABLE hallpass_use (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    secret TEXT NOT NULL,
    jti TEXT NOT NULL,
    txn TEXT NOT NULL,
    audience TEXT NOT NULL,
    attempt TEXT NOT NULL,
    event TEXT NOT NULL,
    idempotency_key TEXT,
    digest TEXT,
    at_us INTEGER NOT NULL,
    lease_end_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    uses_left INTEGER NOT NULL,
    units TEXT,
    outcome TEXT
  );
  CREATE UNIQUE INDEX hallpass_use_attempt ON hallpass_use (jti, attempt);
  CREATE UNIQUE INDEX hallpass_use_key ON hallpass_use (txn, audience, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
  CREATE INDEX hallpass_use_lease ON hallpass_use (lease_end_us) WHERE state = 'running';
  CREATE TABLE hallpass_proof (
    proof TEXT PRIMARY KEY,
    attempt TEXT NOT NULL,
    due_us INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX hallpass_proof_due ON hallpass_proof (due_us);
  CREATE TABLE hallpass_mark (
    name TEXT PRIMARY KEY,
    due_us INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX hallpass_mark_due ON hallpass_mark (due_us);
  CREATE TABLE hallpass_binding (
    assertion TEXT NOT NULL,
    jkt TEXT NOT NULL,
    due_us INTEGER NOT NULL,
    PRIMARY KEY (assertion, jkt)
  ) WITHOUT ROWID;
  CREATE INDEX hallpass_binding_due ON hallpass_binding (due_us);
  CREATE TABLE hallpass_stop (
    name TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at_us INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE hallpass_revocation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL,
    kind TEXT NOT NULL,
    stop_name TEXT,
    over_us INTEGER
  );
  CREATE INDEX hallpass_revocation_over ON hallpass_revocation (over_us) WHERE over_us IS NOT NULL;
  CREATE INDEX hallpass_revocation_stop ON hallpass_revocation (stop_name) WHERE stop_name IS NOT NULL;
  CREATE TABLE hallpass_status (
    name TEXT PRIMARY KEY,
    taken INTEGER NOT NULL,
    until_us INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE hallpass_use ADD COLUMN resource TEXT;
  ALTER TABLE hallpass_use ADD COLUMN facts TEXT;
  ALTER TABLE hallpass_use ADD COLUMN outbox INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE hallpass_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    due_us INTEGER NOT NULL
  );
  CREATE INDEX hallpass_outbox_due ON hallpass_outbox (due_us);
  `,
]
