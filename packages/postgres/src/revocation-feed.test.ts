import { feedContract } from '@hallpass/testing'
import type { FeedStores } from '@hallpass/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openLine } from '../test/cuttable-line.ts'
import type { PostgresServer } from '../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../test/postgres-server.ts'
import type { Client } from '../test/scenes.ts'
import { clients, newSchema } from '../test/scenes.ts'
import { postgresLedger } from './postgres-ledger.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'
import { raisePostgresEpoch } from './start-up.ts'

const CUT = 'a line that is cut'
const SILENT = 'a line that says nothing'
const PAUSED = 'a server that is paused'
const CRASHED = 'a server that is killed and comes back with its data'
const RAISED = 'an epoch raised after a restore'
/** Nobody else's server is paused or killed. */
const isOwnServer = process.env['HALLPASS_TEST_POSTGRES_URL'] === undefined

describe.runIf(runsHere)(`on PostgreSQL ${where}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: true })
  }, 60_000)
  afterAll(() => server?.stop())

  for (const [name, connect] of Object.entries(clients)) {
    const open = async (): Promise<FeedStores> => {
      const line = await openLine(server.url)
      const [near, far] = [connect(server.url), connect(line.url)]
      const schema = newSchema()
      const optionsOf = ({ pool, sql }: Client): PostgresLedgerOptions => ({
        schema,
        migrateAtStart: true,
        withoutFsync: 'for-tests',
        ...(pool && { pool }),
        ...(sql && { sql }),
      })
      const mend = (): void => {
        line.state = 'pass'
        line.cut()
      }
      return {
        ledgers: [await postgresLedger(optionsOf(near)), await postgresLedger(optionsOf(far))],
        faults: {
          [CUT]: {
            begin() {
              line.state = 'refuse'
              line.cut()
            },
            end: mend,
          },
          [SILENT]: { begin: () => void (line.state = 'swallow'), end: mend },
          [PAUSED]: { begin: () => server.process?.pause(), end: () => server.process?.resume() },
          [CRASHED]: { begin: () => server.process?.kill(), end: () => server.process?.start() },
          [RAISED]: { begin: () => raisePostgresEpoch(optionsOf(near)), end: () => undefined },
        },
        async close() {
          line.close()
          await Promise.allSettled([near.end(), far.end()])
        },
      }
    }
    feedContract({
      name: `postgresLedger() by ${name}`,
      open,
      faults: [
        { name: CUT, hits: 'second' },
        { name: SILENT, hits: 'second' },
        ...(isOwnServer && name === 'pg'
          ? [PAUSED, CRASHED].map((fault) => ({ name: fault, hits: 'both' as const }))
          : []),
        { name: RAISED, hits: 'loses' },
      ],
      wakes: true,
      tampers: false,
      describe,
      it,
    })
  }
})
