import { isPromise } from '@hallpass/core'
import type { Ledger, MaybePromise } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import type { Verdict, Verifier, VerifierOptions } from '@hallpass/verifier'
import { openLedger, register } from './bench-ledger.ts'
import type { BenchTrail } from './bench-trail.ts'
import type { BenchIssuer, SignedGrant } from './grant.ts'
import { ordersApi } from './orders-api.ts'

/** The orders API behind one verifier with one ledger, for all rows, as in a server. */
export interface GuardedOrders {
  readonly verifier: Verifier<typeof ordersApi>
  readonly ledger: Ledger
  readonly trail: BenchTrail
  /** Makes grants known, as the broker does before their tokens leave it. */
  register(grants: readonly SignedGrant[]): void
}

export function guardOrders(
  issuer: BenchIssuer,
  trail: BenchTrail,
  more: Pick<VerifierOptions, 'signatureChecks'> = {},
): GuardedOrders {
  const ledger = openLedger()
  const options = {
    api: ordersApi,
    issuer,
    ledger,
    audit: trail,
    acceptUnboundGrantsThatAnyHolderCanUse: true,
  } as const
  return {
    verifier: createVerifier({ ...options, ...more }),
    ledger,
    trail,
    register(grants) {
      for (const { claims } of grants) register(ledger, claims)
    },
  }
}

/** Verdict of a verifier all of whose parts are synchronous. */
export function atOnce(verdict: MaybePromise<Verdict>): Verdict {
  if (isPromise(verdict)) throw new Error('The verifier answered with a promise, and this row times a plain loop.')
  return verdict
}
