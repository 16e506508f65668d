import type { Ledger } from '@hallpass/core'
import { postgresLedger } from '@hallpass/postgres'
import { redisLedger } from '@hallpass/redis'
import { sqliteLedger } from '@hallpass/sqlite'
import { DatabaseSync } from '@photostructure/sqlite'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import type { Place } from './store.ts'

export interface OpenedLedger {
  readonly ledger: Ledger
  close(): Promise<void>
}

/** A handler takes some tens of milliseconds; what a killed one had is over soon. */
const LEASE_SECONDS = 5

/** Opens the ledger as a deployment would: one client, nothing tuned. */
export async function openLedger(place: Place): Promise<OpenedLedger> {
  if (place.kind === 'sqlite') return openSqlite(place.path)
  return place.kind === 'redis' ? openRedis(place.port) : openPostgres(place.port)
}

async function openRedis(port: number): Promise<OpenedLedger> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 })
  client.on('error', () => {})
  const ledger = await redisLedger({ client, leaseSeconds: LEASE_SECONDS })
  return { ledger, close: async () => client.disconnect() }
}

async function openPostgres(port: number): Promise<OpenedLedger> {
  const pool = new Pool({ connectionString: `postgres://hallpass@127.0.0.1:${port}/postgres`, max: 4 })
  pool.on('error', () => {})
  const ledger = await postgresLedger({ pool, leaseSeconds: LEASE_SECONDS, migrateAtStart: true })
  return { ledger, close: () => pool.end() }
}

function openSqlite(path: string): OpenedLedger {
  const database = new DatabaseSync(path)
  const ledger = sqliteLedger({ database, leaseSeconds: LEASE_SECONDS })
  return {
    ledger,
    async close() {
      await ledger.close()
      database.close()
    },
  }
}
