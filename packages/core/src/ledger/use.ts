import type { RefusalReason } from '../reason.ts'
import type { Charges } from './charges.ts'
import type { Outcome, RedeemAnswer, RedeemRequest } from './ledger.ts'

/** What a use needs of the grant it spends. */
export interface UsedGrant {
  readonly facts: { readonly jti: string; readonly txn: string }
  readonly charges: Charges
  /** Uses of this action in the task. */
  readonly actionUses: { count: number }
  readonly repeats: Repeats | undefined
  whyDead(now: number): RefusalReason | undefined
}

/** The uses of one task at one audience that a retry may ask about. */
export class Repeats {
  readonly byKey = new Map<string, Use>()
  /** What the bodies kept here take. */
  bodyChars = 0
  /** Its task is over and forgotten: nothing is kept here any more. */
  closed = false
}

/** One use of a grant: the reservation, the attempt that made it, and what a retry with its key is told. */
export class Use {
  /** Unguessable; given by whoever keeps the running ones, with its place among them. */
  reservation = ''
  place = -1
  readonly grant: UsedGrant
  readonly attempt: string
  readonly event: string
  /** Idempotency key and the digest it stands for. */
  readonly key: string | undefined
  readonly digest: string | undefined
  readonly at: number
  readonly leaseEnd: number
  /** What was charged, by limit of the grant; undefined where each was charged 1. */
  units: readonly number[] | undefined = undefined
  usesLeft = 0
  state: 'running' | 'done' | 'released' | 'unknown' = 'running'
  outcome: Outcome | undefined = undefined
  /** Next in the order in which leases end. */
  next: Use | undefined = undefined

  constructor(grant: UsedGrant, request: RedeemRequest, lease: { readonly at: number; readonly end: number }) {
    this.grant = grant
    this.attempt = request.attempt
    this.event = request.event
    this.key = request.idempotency?.key
    this.digest = request.idempotency?.digest
    this.at = lease.at
    this.leaseEnd = lease.end
  }

  /** What the attempt that made this use is told, the first time and when it is sent again. */
  toAttempt(): RedeemAnswer {
    if (this.state !== 'running') return this.toRetry()
    return { ok: true, state: 'first', reservation: this.reservation, at: this.at, usesLeft: this.usesLeft }
  }

  /** What another request with the same idempotency key is told. */
  toRetry(): RedeemAnswer {
    if (this.state === 'done' && this.outcome !== undefined) {
      return { ok: true, state: 'done', event: this.event, outcome: this.outcome }
    }
    return { ok: true, state: this.state === 'running' ? 'running' : 'unknown', event: this.event }
  }
}
