import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledgerContract } from '@hallpass/testing'
import { describe, it } from 'vitest'
import { drivers } from '../test/drivers.ts'
import { sqliteLedger } from './sqlite-ledger.ts'

for (const [name, open] of await drivers()) {
  ledgerContract({
    name: `sqliteLedger() over ${name}`,
    create(settings) {
      const folder = mkdtempSync(join(tmpdir(), 'hallpass-sqlite-'))
      const database = open(join(folder, 'ledger.db'))
      let now = 1_700_000_000.25
      return {
        ledger: sqliteLedger({ database, clock: () => now, ...settings }),
        advance(seconds) {
          now += seconds
        },
        close() {
          database.close()
          rmSync(folder, { recursive: true })
        },
      }
    },
    ownStore: false,
    comparesWithMemory: true,
    describe,
    it,
  })
}
