import type { MaybePromise, RedeemAnswer, RedeemRequest, RefusalReason, Refused, UseLedger } from '@hallpass/core'
import { CLAIM, amountsFor, isPromise, isRefusalReason, parameterDigest, refuse } from '@hallpass/core'
import type { Recorder } from '../audit/recorder.ts'
import { readIdempotencyKey } from '../request/idempotency-key.ts'
import type { Attempt, Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'
import { within } from './within.ts'

const NO_LEDGER: Refused<RefusalReason> = refuse('ledger-unavailable', 'The ledger did not answer')
const NO_TRAIL: Refused<RefusalReason> = refuse(
  'audit-unavailable',
  'The use could not be put on record; it stays used',
)
const REPEATS: Readonly<Record<'running' | 'unknown' | 'done', Refused<RefusalReason>>> = {
  running: refuse('idempotency-running'),
  unknown: refuse('idempotency-unknown'),
  done: refuse('idempotency-done'),
}
const NO_AMOUNTS: Readonly<Record<string, number>> = Object.freeze({})

export interface SpendRules {
  readonly ledger: UseLedger
  /** How long the ledger may take: an answer that is late is no answer. */
  readonly timeoutMs: number
  readonly source: RedeemRequest['source']
  readonly nextId: () => string
}

/**
 * The one step that cannot be undone, and so the last: task, grant and ancestors live, the proof is new, calls and
 * totals fit, the use is recorded, all in one atomic operation of the ledger. Only its `first` reaches the handler.
 */
export const redeemedUse =
  ({ ledger, timeoutMs, source, nextId }: SpendRules): Step =>
  (attempt) => {
    const request = redeemRequest(attempt, source, nextId())
    if (!request.ok) return request
    let answer: MaybePromise<RedeemAnswer>
    try {
      answer = ledger.redeem(request.value)
    } catch {
      return NO_LEDGER
    }
    if (!isPromise(answer)) return keepAnswer(attempt, answer)
    return within(timeoutMs, answer).then(
      (later) => keepAnswer(attempt, later),
      () => NO_LEDGER,
    )
  }

/** A ledger is somebody else's code: what is not exactly one of the port's answers is no answer, and never a permit. */
function keepAnswer(attempt: Attempt, answer: RedeemAnswer | undefined | null): Refused<RefusalReason> | undefined {
  if (answer?.ok === false && isRefusalReason(answer.reason)) return answer
  if (answer?.ok !== true) return NO_LEDGER
  if (answer.state === 'first') {
    if (typeof answer.reservation !== 'string') return NO_LEDGER
    attempt.redeemed = answer
    return undefined
  }
  if (!Object.hasOwn(REPEATS, answer.state)) return NO_LEDGER
  attempt.repeats = answer
  return REPEATS[answer.state]
}

function redeemRequest(
  attempt: Attempt,
  source: RedeemRequest['source'],
  event: string,
): { ok: true; value: RedeemRequest } | Refused<RefusalReason> {
  const { token, planned, proof, fields, resource, raw, call } = attempt
  if (token === undefined) return OUT_OF_ORDER
  const { claims, entry } = token
  const amounts = token.addsUp ? amountsFor(entry.limits, raw) : undefined
  if (amounts?.ok === false) return amounts
  attempt.event = event
  const request: { -readonly [M in keyof RedeemRequest]: RedeemRequest[M] } = {
    attempt: event,
    audience: planned.audience,
    issuer: claims.iss,
    jti: claims.jti,
    txn: claims.txn,
    clientId: claims.client_id,
    iat: claims.iat,
    exp: claims.exp,
    action: planned.name,
    resource,
    source,
    limits: entry.limits,
    owner: claims[CLAIM.path].owner,
    policyVersion: claims[CLAIM.policy].version,
    amounts: amounts?.value ?? NO_AMOUNTS,
    event,
  }
  if (proof !== undefined) {
    request.proof = { jkt: proof.jkt, jti: proof.jti, iat: proof.iat, acceptUntil: proof.acceptUntil }
  }
  if (attempt.traced?.traceparent !== undefined) request.trace = attempt.traced.traceparent
  if (fields?.idempotencyKey !== undefined) {
    const key = readIdempotencyKey(fields.idempotencyKey)
    if (!key.ok) return key
    attempt.callId = key.value
    // One key, one request: another method, action, resource or argument under it is a conflict.
    const digest = parameterDigest({ method: call.method, action: planned.name, resource, parameters: raw })
    request.idempotency = { key: key.value, digest }
  }
  return { ok: true, value: request }
}

/**
 * The use is on record before the handler runs. Where it cannot be, the handler does not run and the use stays used: a
 * lost use is safe, and only a handler may say that nothing was done.
 */
export const recordedUse =
  (recorder: Recorder, timeoutMs: number, abandon: (attempt: Attempt) => void): Step =>
  (attempt) => {
    const unrecorded = (): Refused<RefusalReason> => {
      abandon(attempt)
      return NO_TRAIL
    }
    try {
      const started = recorder.started(attempt)
      return isPromise(started) ? within(timeoutMs, started).then(() => undefined, unrecorded) : undefined
    } catch {
      return unrecorded()
    }
  }
