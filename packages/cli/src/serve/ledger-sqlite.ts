import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { SqliteHandle, SqliteLedgerOptions } from '@hallpass/sqlite'
import { sqliteLedger } from '@hallpass/sqlite'
import { Failure } from '../command/failure.ts'
import { clientLibrary } from './client-library.ts'
import type { OpenedLedger } from './opened-ledger.ts'

interface SqlitePlace {
  readonly path: string
  readonly place: string
  readonly options: Omit<SqliteLedgerOptions, 'database' | 'clock'>
}

interface Closable extends SqliteHandle {
  close(): void
}
type Open = new (path: string) => Closable

const NODE_MODULE = 'node:sqlite'

/** `node:sqlite` where this Node has it (22.13 and later), else the package with the same face. */
async function databaseSync(configFile: string): Promise<Open> {
  const own = ((): { readonly DatabaseSync: Open } | undefined => {
    try {
      return createRequire(import.meta.url)(NODE_MODULE) as { readonly DatabaseSync: Open }
    } catch {
      return undefined
    }
  })()
  if (own !== undefined) return own.DatabaseSync
  const purpose =
    "The ledger's file (this Node has no node:sqlite; 22.13 has; ledger: 'memory' forgets everything at a restart)"
  const { exports } = await clientLibrary(configFile, { names: ['@photostructure/sqlite'], purpose })
  return exports['DatabaseSync'] as Open
}

async function openFile(configFile: string, path: string): Promise<Closable> {
  const Database = await databaseSync(configFile)
  try {
    // Whatever the umask: it says who asked for what. SQLite gives the files beside it the same mode.
    closeSync(openSync(path, 'a', 0o600))
    return new Database(path)
  } catch (error) {
    throw new Failure(`The ledger's file ${path} cannot be opened: ${(error as Error).message}`)
  }
}

/** Opens the ledger in a file on this machine's disk. */
export async function openSqlite(configFile: string, { path, place, options }: SqlitePlace): Promise<OpenedLedger> {
  const database = await openFile(configFile, path)
  try {
    const ledger = sqliteLedger({ ...options, database })
    const close = async (): Promise<void> => {
      await ledger.close()
      database.close()
    }
    return { ledger, place, close }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Works on the file without opening the ledger in it. */
export async function withSqliteFile<T>(
  configFile: string,
  path: string,
  work: (database: SqliteHandle) => T,
): Promise<T> {
  const database = await openFile(configFile, path)
  try {
    return work(database)
  } finally {
    database.close()
  }
}
