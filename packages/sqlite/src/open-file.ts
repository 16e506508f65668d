import { HallpassError, randomId } from '@hallpass/core'
import { MIGRATIONS } from './migrations.ts'
import { SqliteFile } from './sqlite-file.ts'
import type { SqliteHandle } from './sqlite-handle.ts'
import { invalid } from './sqlite-ledger-options.ts'

/** While a file is opened nobody waits for answers yet: another process that migrates it may take its time. */
const OPEN_WAIT_MS = 10_000
/** Short, because SQLite's own waiting stops the whole process; longer waits are the ledger's. */
const BUSY_WAIT_MS = 5

/**
 * Makes sure that a COMMIT is on the disk when it returns, and brings the schema up to date.
 * Throws HallpassError `configuration-invalid` for a database that cannot promise that or has a newer schema, and
 * `ledger-unavailable` where the file cannot be written. Does not see whether the disk is a network's.
 */
export function openFile(handle: SqliteHandle, now: () => number): SqliteFile {
  const file = new SqliteFile(handle)
  try {
    handle.exec(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`)
    makeDurable(handle)
    migrate(file, now)
    handle.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}`)
  } catch (error) {
    if (error instanceof HallpassError) throw error
    throw new HallpassError('ledger-unavailable', 'The SQLite file could not be opened and brought up to date', {
      cause: error,
    })
  }
  return file
}

function makeDurable(handle: SqliteHandle): void {
  const ask = (sql: string): unknown => Object.values(Object(handle.prepare(sql).get()))[0]
  if (ask('PRAGMA journal_mode = WAL') !== 'wal') {
    throw invalid('the database cannot keep a write-ahead log. Pass a file on a local disk, not one in memory')
  }
  handle.exec('PRAGMA synchronous = FULL')
  const synchronous = ask('PRAGMA synchronous')
  if (typeof synchronous === 'bigint') throw invalid('the handle answers integers as bigint; let it answer numbers')
  if (synchronous !== 2) throw invalid('the database does not take synchronous = FULL, so a commit could be lost')
}

/** Takes the file to the newest version, all in one transaction: two processes that start at once do it once. */
function migrate(file: SqliteFile, now: () => number): void {
  file.exec('BEGIN IMMEDIATE')
  try {
    file.exec(
      'CREATE TABLE IF NOT EXISTS hallpass_schema (version INTEGER PRIMARY KEY, applied_at_us INTEGER NOT NULL)',
    )
    const version =
      file.get<{ version: number | null }>('SELECT max(version) AS version FROM hallpass_schema')?.version ?? 0
    if (version > MIGRATIONS.length) {
      throw invalid(
        `the file has schema version ${version}, and this release knows ${MIGRATIONS.length}. Run the newer release; there is no way back`,
      )
    }
    const at = Math.floor(now() * 1e6)
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue
      file.exec(sql)
      file.run('INSERT INTO hallpass_schema (version, applied_at_us) VALUES (?, ?)', index + 1, at)
    }
    file.run(
      'INSERT OR IGNORE INTO hallpass_life (id, store, epoch, since_us, clock_us) VALUES (1, ?, 1, ?, ?)',
      randomId('sqlite_'),
      at,
      at,
    )
    file.exec('COMMIT')
  } catch (error) {
    rollBack(file)
    throw error
  }
}

/** After some errors SQLite has rolled back already. */
export function rollBack(file: SqliteFile): void {
  try {
    file.exec('ROLLBACK')
  } catch {
    // Nothing is open any more: that is what was asked for.
  }
}
