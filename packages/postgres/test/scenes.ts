import { Pool } from 'pg'
import postgres from 'postgres'
import type { PostgresLedgerOptions } from '@hallpass/postgres'

export type Client = Pick<PostgresLedgerOptions, 'pool' | 'sql'> & {
  run(text: string): Promise<readonly Record<string, unknown>[]>
  end(): Promise<void>
}

/** `pg` and `postgres.js` on the same server. */
export const clients: Readonly<Record<'pg' | 'postgres.js', (url: string, more?: { options?: string }) => Client>> = {
  pg(url, more = {}) {
    const pool = new Pool({ connectionString: url, max: 8, ...more })
    // A connection that is cut while it is idle; the statement after it finds another one.
    pool.on('error', () => {})
    return { pool, run: async (text) => (await pool.query<Record<string, unknown>>(text)).rows, end: () => pool.end() }
  },
  'postgres.js'(url, more = {}) {
    const sql = postgres(url, {
      max: 8,
      onnotice: () => {},
      ...(more.options !== undefined && { connection: { options: more.options } }),
    })
    return { sql, run: async (text) => Array.from(await sql.unsafe(text)), end: () => sql.end({ timeout: 1 }) }
  },
}

let schemas = 0

/** A schema of its own for each test. */
export function newSchema(): string {
  schemas += 1
  return `t${process.pid}_${schemas}`
}

/** Puts the ledger of a schema on a clock that the test moves. */
export async function holdClock(client: Client, schema: string): Promise<(us: number) => Promise<void>> {
  await client.run(`CREATE TABLE ${schema}.test_clock (us bigint)`)
  await client.run(
    `CREATE OR REPLACE FUNCTION ${schema}.wall_us() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT us FROM ${schema}.test_clock'`,
  )
  return async (us) => void (await client.run(`UPDATE ${schema}.test_clock SET us = us + ${us}`))
}

/** An empty ledger at the start of its clock: much faster than another schema. */
export async function clear(client: Client, schema: string, startUs: number): Promise<void> {
  const tables = await client.run(
    `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') AS names FROM pg_tables
      WHERE schemaname = '${schema}' AND tablename NOT IN ('life', 'schema_version')`,
  )
  await client.run(
    `TRUNCATE ${String(tables[0]?.['names'])};
      INSERT INTO ${schema}.test_clock VALUES (${startUs});
      UPDATE ${schema}.life SET clock_us = ${startUs}, since_us = ${startUs}, log_gone_below = 0, log_newest = 0`,
  )
}
