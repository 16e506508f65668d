import { schemaSql } from './schema/schema-sql.ts'

/** Every statement of the ledger: one call each, so one round trip each. Texts travel as text, whatever the client. */
export function statements(schema: string) {
  const fill = schemaSql(schema)
  const one = (call: string) => fill(`SELECT @.${call} AS r`)
  return {
    redeem: fill('SELECT * FROM @.redeem_many($1::text::jsonb, $2::bigint, $3::bigint, $4::boolean)'),
    settle: one('settle_many($1::text::jsonb)'),
    giveBack: one('give_back($1::bigint, $2::text, $3::text, $4::boolean)'),
    openTask: one('open_task($1::text::jsonb, $2::text, $3::boolean, $4::boolean)'),
    registerGrant: one('register_grant($1::text::jsonb, $2::text, $3::boolean, $4::bigint, $5::boolean)'),
    endTask: one('end_task($1::text, $2::text, $3::text, $4::bigint, $5::boolean)'),
    revoke: one('revoke($1::text::jsonb, $2::text, $3::text, $4::boolean, $5::bigint, $6::boolean)'),
    resume: one('resume($1::text::jsonb, $2::text, $3::text, $4::bigint)'),
    readLog: one('read_log($1::text, $2::int, $3::boolean)'),
    markOnce: one('mark_once($1::text, $2::bigint, $3::bigint)'),
    bindKey: one('bind_key($1::text, $2::text, $3::bigint, $4::bigint, $5::bigint)'),
    reserveStatus: one('reserve_status($1::text, $2::bigint, $3::bigint)'),
    task: one('task($1::text)'),
    grant: one('grant($1::text)'),
    noteRefusal: fill('UPDATE @.tasks SET refusals = refusals + 1 WHERE txn = $1::text'),
    sweep: one('sweep($1::int)'),
    use: one('use_state($1::bigint, $2::text)'),
    acknowledge: one('acknowledge($1::text::jsonb)'),
    sizes: one('sizes()'),
    now: one('tick()'),
    incarnation: one('incarnation($1::boolean)'),
    raiseEpoch: one('raise_epoch()'),
    notify: 'SELECT pg_notify($1::text, $2::text)',
    version: fill('SELECT max(version) AS r FROM @.schema_version'),
  }
}

export type Statements = ReturnType<typeof statements>
