import { isPromise } from '@hallpass/core'
import type { Ledger, MaybePromise, UseLedger } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import type { Verdict, Verifier } from '@hallpass/verifier'
import { freshLedger, register } from './fresh-ledger.ts'
import type { BenchIssuer, SignedGrant } from './grant.ts'
import type { KeptEvents } from './kept-events.ts'
import { ordersApi } from './orders-api.ts'

/** The orders API behind a verifier whose ledger starts afresh whenever it is told to. */
export interface GuardedOrders {
  readonly verifier: Verifier<typeof ordersApi>
  readonly events: KeptEvents
  /** The ledger of now: for revoking, and for looking in. */
  ledger(): Ledger
  /** Makes these the only grants there are; none of them was used. */
  restart(grants: readonly SignedGrant[]): void
  /** Makes these known beside those that are. */
  register(grants: readonly SignedGrant[]): void
}

export function guardOrders(issuer: BenchIssuer, events: KeptEvents): GuardedOrders {
  let current = freshLedger()
  const known = (grants: readonly SignedGrant[]): void => {
    for (const { claims } of grants) register(current, claims)
  }
  // The verifier keeps one ledger for life; the bench swaps what is behind it so that no slice pays for the one before.
  const ledger: UseLedger = {
    exactFor: 'one-process',
    redeem: (request) => current.redeem(request),
    settle: (reservation, outcome) => current.settle(reservation, outcome),
    giveBack: (reservation, reason) => current.giveBack(reservation, reason),
  }
  return {
    verifier: createVerifier({
      api: ordersApi,
      issuer,
      ledger,
      audit: events,
      acceptUnboundGrantsThatAnyHolderCanUse: true,
      cacheEntries: 1024,
    }),
    events,
    ledger: () => current,
    restart(grants) {
      current = freshLedger()
      known(grants)
    },
    register: known,
  }
}

/** Verdict of a verifier all of whose parts are synchronous. */
export function atOnce(verdict: MaybePromise<Verdict>): Verdict {
  if (isPromise(verdict)) throw new Error('The verifier answered with a promise, and this row times a plain loop.')
  return verdict
}
