import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync } from '@photostructure/sqlite'
import type { Store } from './store.ts'

/** A file in the folder of the run. It is no process to be stopped: a writer that does not end stands for that. */
export function openSqliteStore(folder: string): Store {
  const path = join(folder, 'ledger.db')
  return {
    name: 'SQLite',
    place: { kind: 'sqlite', path },
    own: { kind: 'sqlite', path },
    async pause(ms) {
      const blocker = new DatabaseSync(path)
      try {
        blocker.exec('PRAGMA busy_timeout = 1000')
        blocker.exec('BEGIN IMMEDIATE')
        await delay(ms)
        blocker.exec('ROLLBACK')
      } finally {
        blocker.close()
      }
    },
    stop: async () => {},
  }
}
