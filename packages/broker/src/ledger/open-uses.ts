import type { RedeemRequest } from '@hallpass/core'
import type { EventFacts } from '../audit/recorder.ts'

/** Remembers which use a reservation stands for, so that its outcome is told as the outcome of that use. */
export interface OpenUses {
  has(reservation: string): boolean
  /** Whether this audience redeemed it, so that nobody else may end it. */
  isOf(audience: string, reservation: string): boolean
  open(reservation: string, request: RedeemRequest): void
  /** What its end says of it. */
  factsOf(reservation: string): EventFacts
  close(reservation: string): void
}

const MAX_OPEN = 100_000

/** Bounded; what falls out is read from the ledger. */
export function createOpenUses(): OpenUses {
  const uses = new Map<string, EventFacts>()
  return {
    has: (reservation) => uses.has(reservation),
    isOf: (audience, reservation) => uses.get(reservation)?.aud === audience,
    open(reservation, { audience, txn, jti, clientId, action, resource, event, idempotency, trace }) {
      const [oldest] = uses.size >= MAX_OPEN ? uses.keys() : []
      if (oldest !== undefined) uses.delete(oldest)
      uses.set(reservation, {
        aud: audience,
        txn,
        jti,
        client_id: clientId,
        action,
        resource,
        follows: event,
        ...(idempotency === undefined ? {} : { call_id: idempotency.key }),
        ...(trace === undefined ? {} : { trace }),
      })
    },
    factsOf: (reservation) => ({ ...uses.get(reservation), data: { reservation } }),
    close(reservation) {
      uses.delete(reservation)
    },
  }
}
