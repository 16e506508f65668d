import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteLedger } from '@hallpass/sqlite'
import { DatabaseSync } from '@photostructure/sqlite'
import type { RowAim } from '../row/row-aim.ts'
import { checkUses, openUses, usesInFlight } from '../world/durable-uses.ts'
import type { Suite } from './suite.ts'

const row: RowAim = {
  id: 'redeem.sqlite',
  aim: 3,
  better: 'higher',
  measure: 'wall',
  baseline: 'one transaction per use',
  work: 'liveness, replay mark, limits, reservation, committed with synchronous = FULL; 64 in flight',
}

export const sqlite: Suite = {
  rows: [row],
  pace: {
    full: { rounds: 15, slice: 400, baselineSlice: 200, warmUp: 500 },
    quick: { rounds: 5, slice: 150, baselineSlice: 80, warmUp: 200 },
  },
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
    const database = new DatabaseSync(join(folder, 'ledger.db'))
    const uses = await openUses(sqliteLedger({ database }))
    return {
      entries: [
        {
          id: row.id,
          check: () => checkUses(uses),
          work: usesInFlight(uses, 64),
          // Alone in its turn of the event loop, a use is alone in its transaction.
          baseline: usesInFlight(uses, 1),
        },
      ],
      async close() {
        database.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
