import type { PgPool, PostgresJs, PostgresLedger, PostgresLedgerOptions } from '@hallpass/postgres'
import { postgresLedger } from '@hallpass/postgres'
import type { LedgerConfig } from '../config/define-config.ts'
import { clientLibrary } from './client-library.ts'
import type { OpenedLedger } from './opened-ledger.ts'

interface PostgresPlace {
  readonly url: string
  readonly connections: number | undefined
  readonly place: string
  readonly options: Omit<PostgresLedgerOptions, 'pool' | 'sql'>
}

type Pool = PgPool & { on(event: 'error', listener: () => void): unknown; end(): Promise<void> }
type Sql = PostgresJs & { end(options: { readonly timeout: number }): Promise<void> }

type Client = Pick<PostgresLedgerOptions, 'pool' | 'sql'>

/** Connects by the client that is installed. */
async function connect(
  configFile: string,
  { url, connections: max = 10 }: Pick<PostgresPlace, 'url' | 'connections'>,
): Promise<{ readonly client: Client; readonly end: () => Promise<void> }> {
  const { name, exports } = await clientLibrary(configFile, {
    names: ['pg', 'postgres'],
    purpose: 'A ledger in Postgres',
  })
  if (name === 'pg') {
    const { Pool } = exports as { readonly Pool: new (options: object) => Pool }
    const pool = new Pool({ connectionString: url, max })
    // A connection that breaks while it is idle is told by an event, which would end the process unheard.
    pool.on('error', () => undefined)
    return { client: { pool }, end: () => pool.end() }
  }
  const { default: postgres } = exports as { readonly default: (url: string, options: object) => Sql }
  const sql = postgres(url, { max, onnotice: () => undefined })
  return { client: { sql }, end: () => sql.end({ timeout: 5 }) }
}

/** Opens the ledger in PostgreSQL. */
export async function openPostgres(configFile: string, place: PostgresPlace): Promise<OpenedLedger> {
  const { client, end } = await connect(configFile, place)
  let ledger: PostgresLedger
  try {
    ledger = await postgresLedger({ ...place.options, ...client })
  } catch (error) {
    await end()
    throw error
  }
  return { ledger, place: place.place, close: end }
}

/** Works on the database without opening the ledger in it. */
export async function withPostgres<T>(
  configFile: string,
  { postgres: url, connections, ...options }: Extract<LedgerConfig, { readonly postgres: string }>,
  work: (options: PostgresLedgerOptions) => Promise<T>,
): Promise<T> {
  const { client, end } = await connect(configFile, { url, connections })
  try {
    return await work({ ...options, ...client })
  } finally {
    await end()
  }
}
