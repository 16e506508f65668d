import type { Ledger } from '@hallpass/core'
import { postgresLedger } from '@hallpass/postgres'
import { redisLedger } from '@hallpass/redis'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { emptyLedger } from '../world/bench-ledger.ts'
import { startBenchServer } from '../world/postgres-server.ts'
import { startBenchRedis } from '../world/redis-server.ts'

/** One store as two brokers see it. */
export interface FeedStore {
  /** Of the broker that revokes. */
  readonly killing: Ledger
  /** Of the broker that verifiers follow. */
  readonly serving: Ledger
  close(): Promise<void>
}

export type OpenFeedStore = () => Promise<FeedStore>

export const inThisProcess: OpenFeedStore = async () => {
  const ledger = emptyLedger()
  return { killing: ledger, serving: ledger, close: async () => undefined }
}

/** One server, and a client for each broker; the news comes by pub/sub. */
export const overRedis: OpenFeedStore = async () => {
  const server = await startBenchRedis()
  const clients = [0, 1].map(() => new Redis({ port: server.ports[0] ?? 0, host: '127.0.0.1' }))
  const ledgers = await Promise.all(clients.map((client) => redisLedger({ client })))
  return storeOf(ledgers, async () => {
    for (const client of clients) client.disconnect()
    await server.stop()
  })
}

const CONNECTIONS = 4

/** One server with fsync on, and a pool for each broker; the news comes by LISTEN and NOTIFY. */
export const overPostgres: OpenFeedStore = async () => {
  const server = await startBenchServer()
  const pools = [0, 1].map(() => new Pool({ connectionString: server.url, max: CONNECTIONS }))
  for (const pool of pools) pool.on('error', () => {})
  const ledgers: Ledger[] = []
  for (const pool of pools) {
    ledgers.push(await postgresLedger({ pool, schema: 'hallpass_feed', migrateAtStart: true }))
  }
  return storeOf(ledgers, async () => {
    await Promise.all(pools.map((pool) => pool.end()))
    await server.stop()
  })
}

function storeOf([killing, serving]: readonly Ledger[], close: () => Promise<void>): FeedStore {
  if (killing === undefined || serving === undefined) throw new Error('A store has two ledgers here.')
  return { killing, serving, close }
}
