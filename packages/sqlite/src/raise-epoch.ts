import { ledgerClock } from '@hallpass/core'
import { incarnationOf, readLife } from './life.ts'
import { openFile } from './open-file.ts'
import type { SqliteHandle } from './sqlite-handle.ts'

/**
 * Begins a new life of the file: every task and grant in it is refused from the next operation on, in every process.
 * For the operator, after restoring a backup, since which uses may be missing. Returns the new incarnation.
 * Throws HallpassError as `sqliteLedger` does when it opens the file.
 */
export function raiseSqliteEpoch(database: SqliteHandle): string {
  const clock = ledgerClock()
  const file = openFile(database, clock)
  file.run('UPDATE hallpass_life SET epoch = epoch + 1, since_us = max(?, clock_us)', Math.floor(clock() * 1e6))
  return incarnationOf(readLife(file))
}
