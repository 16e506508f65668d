import { ledgerContract } from '@hallpass/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { PostgresServer } from '../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../test/postgres-server.ts'
import type { Client } from '../test/scenes.ts'
import { clear, clients, holdClock, newSchema } from '../test/scenes.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'
import { postgresLedger } from './postgres-ledger.ts'
import { migratePostgres } from './start-up.ts'

describe.runIf(runsHere)(`on PostgreSQL ${where}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: false })
  }, 60_000)
  afterAll(() => server?.stop())

  for (const [name, connect] of Object.entries(clients)) {
    const schema = newSchema()
    let client: Client
    let options: PostgresLedgerOptions
    let advance: (us: number) => Promise<void>
    beforeAll(async () => {
      client = connect(server.url)
      const { pool, sql } = client
      options = { schema, withoutFsync: 'for-tests', ...(pool && { pool }), ...(sql && { sql }) }
      await migratePostgres(options)
      advance = await holdClock(client, schema)
    })
    afterAll(async () => {
      await client?.run(`DROP SCHEMA ${schema} CASCADE`)
      await client?.end()
    })

    ledgerContract({
      name: `postgresLedger() over ${name}`,
      async create(settings) {
        await clear(client, schema, 1_700_000_000_250_000)
        return {
          ledger: await postgresLedger({ ...options, ...settings }),
          advance: (seconds) => advance(Math.round(seconds * 1e6)),
        }
      },
      ownStore: false,
      comparesWithMemory: true,
      describe,
      it,
    })
  }
})
