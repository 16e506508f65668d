import { postgresLedger } from '@hallpass/postgres'
import { Pool } from 'pg'
import type { RowAim } from '../row/row-aim.ts'
import { checkUses, openUses, usesInFlight } from '../world/durable-uses.ts'
import { startBenchServer } from '../world/postgres-server.ts'
import type { Suite } from './suite.ts'

const IN_FLIGHT = 64
const CONNECTIONS = 8

const row: RowAim = {
  id: 'redeem.postgres',
  aim: 5,
  better: 'higher',
  measure: 'wall',
  baseline: 'one statement per use',
  work: `liveness, replay mark, limits, reservation, fsync on; grouped per tick, ${IN_FLIGHT} in flight`,
}

export const postgres: Suite = {
  rows: [row],
  pace: {
    full: { rounds: 15, slice: 600, baselineSlice: 300, warmUp: 1500 },
    quick: { rounds: 5, slice: 200, baselineSlice: 150, warmUp: 500 },
  },
  open: async () => {
    const server = await startBenchServer()
    const pool = new Pool({ connectionString: server.url, max: CONNECTIONS })
    pool.on('error', () => {})
    const grouped = await openUses(await postgresLedger({ pool, schema: 'hallpass_bench', migrateAtStart: true }))
    // The same function in the same database, with one use in each call and every connection busy.
    const single = await openUses(
      await postgresLedger({ pool, schema: 'hallpass_bench', groupSize: 1, groupsAtOnce: CONNECTIONS }),
    )
    return {
      entries: [
        {
          id: row.id,
          async check() {
            await checkUses(grouped)
            await checkUses(single)
          },
          work: usesInFlight(grouped, IN_FLIGHT),
          baseline: usesInFlight(single, IN_FLIGHT),
        },
      ],
      async close() {
        await pool.end()
        await server.stop()
      },
    }
  },
}
