import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from '@hallpass/core'
import type { ActionName } from '../world/orders.ts'
import { LIMITS } from '../world/orders.ts'
import type { LedgerReading } from '../world/records.ts'

/** A request of a killed replica may still lie in the store's socket, and a store is paused for 3 s at most. */
const SETTLE_MS = 4000
const TRIES = 5

export interface Readings {
  /** Nobody uses this grant any more: reads it soon. */
  spent(jti: string): void
  /** Every reading there is, once those under way came. */
  all(): Promise<ReadonlyMap<string, LedgerReading>>
}

/** Asks the ledger what it has counted, past every fault. */
export function createReadings(ledger: Pick<Ledger, 'grant'>): Readings {
  const found = new Map<string, LedgerReading>()
  const underWay = new Set<Promise<void>>()
  async function read(jti: string): Promise<void> {
    await delay(SETTLE_MS)
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        const grant = await ledger.grant(jti)
        // Swept: it had expired.
        if (grant === undefined) return
        const { uses } = LIMITS[grant.action as ActionName]
        found.set(jti, { jti, used: uses - grant.usesLeft })
        return
      } catch {
        await delay(500)
      }
    }
  }
  return {
    spent(jti) {
      const reading = read(jti).finally(() => underWay.delete(reading))
      underWay.add(reading)
    },
    async all() {
      while (underWay.size > 0) await Promise.all(underWay)
      return found
    },
  }
}
