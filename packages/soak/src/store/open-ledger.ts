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
  switch (place.kind) {
    case 'redis': {
      const client = new Redis({ port: place.port, host: '127.0.0.1', retryStrategy: () => 50 })
      client.on('error', () => {})
      const ledger = await redisLedger({ client, leaseSeconds: LEASE_SECONDS })
      return { ledger, close: async () => client.disconnect() }
    }
    case 'postgres': {
      const url = `postgres://hallpass@127.0.0.1:${place.port}/postgres`
      const pool = new Pool({ connectionString: url, max: 4 })
      pool.on('error', () => {})
      const ledger = await postgresLedger({ pool, leaseSeconds: LEASE_SECONDS, migrateAtStart: true })
      return { ledger, close: () => pool.end() }
    }
    case 'sqlite': {
      const database = new DatabaseSync(place.path)
      const ledger = sqliteLedger({ database, leaseSeconds: LEASE_SECONDS })
      return {
        ledger,
        async close() {
          await ledger.close()
          database.close()
        },
      }
    }
  }
}
