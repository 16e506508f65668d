import { HallpassError } from '@hallpass/core'
import { asker } from './postgres-client.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'
import { invalid, postgresBounds } from './postgres-ledger-options.ts'
import { MIGRATIONS } from './schema/migrations.ts'
import { SQLSTATE, migrationSql } from './schema/schema-sql.ts'
import { Server, oneOf, unavailable } from './server.ts'
import type { Statements } from './statements.ts'
import { statements } from './statements.ts'

export const DEFAULT_SCHEMA = 'hallpass'
const NO_TABLE = new Set(['42P01', '3F000'])

export interface Started {
  readonly server: Server
  readonly sql: Statements
}

/** What does not need the schema yet. Throws HallpassError `configuration-invalid` as `postgresLedger` does. */
export function serverOf(options: PostgresLedgerOptions): Started {
  const { timeoutSeconds } = postgresBounds(options)
  const { pool, sql, prepare = true, schema = DEFAULT_SCHEMA } = options
  const ask = asker({ prepare, ...(pool && { pool }), ...(sql && { sql }) })
  return { server: new Server(ask, timeoutSeconds * 1000), sql: statements(schema) }
}

/**
 * Takes the schema to the newest version, in one transaction and one at a time, whoever else tries. Forward only.
 * Throws HallpassError `configuration-invalid` where the schema is newer than this release, and `ledger-unavailable`
 * where the server cannot be asked or the role may not do it.
 */
export async function migratePostgres(options: PostgresLedgerOptions): Promise<void> {
  const { server } = serverOf(options)
  try {
    await server.rows(migrationSql(options.schema ?? DEFAULT_SCHEMA), () => [], { resend: true })
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.newerSchema) throw asFault(error, 'The schema could not be brought up to date')
    throw invalid(`the schema is newer than version ${MIGRATIONS.length}. Run the newer release; there is no way back`)
  }
}

/**
 * Begins a new life of the ledger: every task and grant in it is refused from the next operation on, at every replica.
 * For the operator, after restoring a backup, since which uses may be missing.
 */
export async function raisePostgresEpoch(options: PostgresLedgerOptions): Promise<void> {
  const { server, sql } = serverOf(options)
  try {
    await server.rows(sql.raiseEpoch, () => [], { resend: false })
  } catch (error) {
    throw asFault(error, 'The epoch could not be raised')
  }
}

/** Whether server and schema can promise what the ledger says. */
export async function checkServer({ server, sql }: Started, { withoutFsync }: PostgresLedgerOptions): Promise<void> {
  const version = await schemaVersion(server, sql)
  if (version !== MIGRATIONS.length) {
    throw invalid(
      version > MIGRATIONS.length
        ? `the schema has version ${version}, and this release knows ${MIGRATIONS.length}. Run the newer release`
        : `the schema has version ${version} and needs ${MIGRATIONS.length}: call migratePostgres(), or set migrateAtStart`,
    )
  }
  const setting = (name: string) => server.one('SELECT current_setting($1::text) AS r', [name], { resend: true })
  if ((await setting('fsync')) !== 'on' && withoutFsync === undefined) {
    throw invalid('the server runs without fsync and loses what it answered when its machine stops')
  }
  const isolation = await setting('transaction_isolation')
  if (isolation !== 'read committed') {
    throw invalid(`connections are in ${String(isolation)}; set default_transaction_isolation to read committed`)
  }
}

async function schemaVersion(server: Server, sql: Statements): Promise<number> {
  try {
    return Number(oneOf(await server.rows(sql.version, () => [], { resend: true })) ?? 0)
  } catch (error) {
    if (NO_TABLE.has(codeOf(error) ?? '')) return 0
    throw asFault(error, 'PostgreSQL could not be asked for the version of the schema')
  }
}

const codeOf = (error: unknown): string | undefined => {
  const { code } = Object(Object(error).cause) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

export const asFault = (error: unknown, what: string): HallpassError =>
  error instanceof HallpassError ? error : unavailable(what, Object(error).cause ?? error)
