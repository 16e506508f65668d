import type { RefusalReason } from '../reason.ts'
import { ELSEWHERE, UNKNOWN, doneWith } from './attempts.ts'
import type { Charges } from './charges.ts'
import type { Fingerprint } from './fingerprint-set.ts'
import type { Outcome, RedeemAnswer, RedeemRequest, UseRecord } from './ledger.ts'

/** What a use needs of the grant it spends. */
export interface UsedGrant {
  readonly facts: Pick<UseRecord, 'jti' | 'txn' | 'clientId' | 'audience' | 'action' | 'resource'> & {
    readonly jkt?: string | undefined
  }
  readonly charges: Charges
  /** Uses of this action in the task. */
  readonly actionUses: { count: number }
  readonly repeats: Repeats | undefined
  whyDead(now: number): RefusalReason | undefined
  endUse(use: Use): void
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
  /** Of its attempt, where all that a resend is told fits in a few numbers: no key, and the event's id is the attempt's. */
  readonly mark: Fingerprint | undefined
  readonly event: string
  /** Idempotency key and the digest it stands for. */
  readonly key: string | undefined
  readonly digest: string | undefined
  readonly at: number
  readonly leaseEnd: number
  /** The one of a class that was used; undefined where it is the grant's. */
  readonly resource: string | undefined
  readonly outbox: boolean
  /** What was charged, by limit of the grant; undefined where each was charged 1. */
  units: readonly number[] | undefined = undefined
  usesLeft = 0
  state: 'running' | 'done' | 'released' | 'unknown' = 'running'
  outcome: Outcome | undefined = undefined
  /** Next in the order in which leases end. */
  next: Use | undefined = undefined

  constructor(
    grant: UsedGrant,
    request: RedeemRequest,
    { mark, at, end }: { readonly mark: Fingerprint; readonly at: number; readonly end: number },
  ) {
    this.grant = grant
    this.attempt = request.attempt
    this.event = request.event
    this.mark = isPlain(request) ? mark : undefined
    this.key = request.idempotency?.key
    this.digest = request.idempotency?.digest
    this.at = at
    this.leaseEnd = end
    this.resource = request.resource === grant.facts.resource ? undefined : request.resource
    this.outbox = request.outbox === true
  }

  record(): UseRecord {
    const { jti, txn, clientId, audience, action, resource, jkt } = this.grant.facts
    return {
      event: this.event,
      reservation: this.reservation,
      jti,
      txn,
      clientId,
      audience,
      action,
      resource: this.resource ?? resource,
      jkt,
      at: this.at,
      outbox: this.outbox,
    }
  }

  /** What its attempt is told once it is over, in one number. */
  briefly(): number {
    if (this.state === 'released' || this.state === 'unknown') return UNKNOWN
    const { outcome } = this
    if (outcome === undefined || outcome.body !== undefined || outcome.contentType !== undefined) return ELSEWHERE
    return doneWith(outcome.status) ?? ELSEWHERE
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

/** A request of which nothing has to be kept but that there was one. */
export const isPlain = ({ attempt, event, idempotency }: RedeemRequest): boolean =>
  idempotency === undefined && event === attempt
