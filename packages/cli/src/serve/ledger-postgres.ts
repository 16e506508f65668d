import type { PgPool, PostgresJs, PostgresLedger, PostgresLedgerOptions } from '@hallpass/postgres'
import { postgresLedger } from '@hallpass/postgres'
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

/** Opens the ledger in PostgreSQL, by the client that is installed. */
export async function openPostgres(configFile: string, place: PostgresPlace): Promise<OpenedLedger> {
  const { name, exports } = await clientLibrary(configFile, {
    names: ['pg', 'postgres'],
    purpose: 'A ledger in Postgres',
  })
  const { url, connections: max = 10 } = place
  if (name === 'pg') {
    const { Pool } = exports as { readonly Pool: new (options: object) => Pool }
    const pool = new Pool({ connectionString: url, max })
    // A connection that breaks while it is idle is told by an event, which would end the process unheard.
    pool.on('error', () => undefined)
    return opened(place, { pool }, () => pool.end())
  }
  const { default: connect } = exports as { readonly default: (url: string, options: object) => Sql }
  const sql = connect(url, { max, onnotice: () => undefined })
  return opened(place, { sql }, () => sql.end({ timeout: 5 }))
}

async function opened(
  { place, options }: PostgresPlace,
  client: Pick<PostgresLedgerOptions, 'pool' | 'sql'>,
  end: () => Promise<void>,
): Promise<OpenedLedger> {
  let ledger: PostgresLedger
  try {
    ledger = await postgresLedger({ ...options, ...client })
  } catch (error) {
    await end()
    throw error
  }
  return { ledger, place, close: end }
}
