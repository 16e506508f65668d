import type { Outcome, RedeemAnswer, RedeemRequest, RefusalReason, Refused } from '@hallpass/core'
import { MAX_KEPT_BODY_CHARS, refuse } from '@hallpass/core'
import { isKeepable, toSeconds, toUs, wholeAmounts } from './wire-text.ts'

const MAX_ID_CHARS = 256
const isId = (text: unknown): boolean => isKeepable(text) && text.length > 0 && text.length <= MAX_ID_CHARS

const us = (seconds: number): number | null => (Number.isSafeInteger(toUs(seconds)) ? toUs(seconds) : null)

/** One request as the function reads it. */
export type RedeemItem = Readonly<Record<string, unknown>>

/** What cannot even be asked about is refused here. */
export function itemOf(request: RedeemRequest, secret: string): RedeemItem | Refused<RefusalReason> {
  const { attempt, audience, issuer, jti, txn, clientId, action, resource, event, proof, idempotency } = request
  if (![attempt, audience, issuer, jti, txn, clientId, action, resource, event].every((text) => isKeepable(text))) {
    return refuse('request-malformed')
  }
  if (idempotency !== undefined && !(isId(idempotency.key) && isKeepable(idempotency.digest))) {
    return refuse('request-malformed')
  }
  if (proof !== undefined && !(isId(proof.jti) && isKeepable(proof.jkt))) return refuse('proof-malformed')
  return {
    attempt,
    audience,
    issuer,
    jti,
    txn,
    client_id: clientId,
    iat: us(request.iat),
    exp: us(request.exp),
    action,
    resource,
    event,
    secret,
    amounts: wholeAmounts(request.amounts),
    ...(proof && { jkt: proof.jkt, proof: `${proof.jkt} ${proof.jti}`, accept_until: us(proof.acceptUntil) }),
    ...(idempotency && { key: idempotency.key, digest: idempotency.digest }),
    ...(request.outbox === true && { outbox: true }),
  }
}

/** A row of type `answer`. */
export interface AnswerRow {
  readonly n: number
  readonly state: string
  readonly reason: string | null
  readonly limit_id: string | null
  readonly reservation: string | null
  readonly at_us: string | number | null
  readonly uses_left: string | number | null
  readonly event: string | null
  readonly outcome: string | null
}

/** Undefined for what no version of the schema answers. */
export function answerOf(row: AnswerRow): RedeemAnswer | undefined {
  const { state, reason, limit_id, reservation, at_us, uses_left, event, outcome } = row
  switch (state) {
    case 'first':
      if (reservation === null) return undefined
      return { ok: true, state, reservation, at: toSeconds(at_us), usesLeft: Number(uses_left) }
    case 'running':
    case 'unknown':
      return { ok: true, state, event: event ?? '' }
    case 'done':
      return { ok: true, state, event: event ?? '', outcome: JSON.parse(outcome ?? '{}') as Outcome }
    case 'refused':
      return { ok: false, reason: reason as RefusalReason, ...(limit_id !== null && { limit: limit_id }) }
    default:
      return undefined
  }
}

/** Where the use is, and what nobody can guess about it. */
export function parseReservation(reservation: string): { readonly seq: number; readonly secret: string } | undefined {
  const dot = reservation.lastIndexOf('.')
  const seq = Number(reservation.slice(dot + 1))
  const secret = reservation.slice(0, dot)
  if (dot < 1 || !Number.isSafeInteger(seq) || seq < 1 || !isKeepable(secret)) return undefined
  return { seq, secret }
}

/** With and without its body: only a use with a key keeps that, and the database knows which has one. */
export function outcomesOf({ status, contentType, body }: Outcome): {
  readonly bare: string
  readonly outcome: string
} {
  const bare = { status, ...(contentType !== undefined && { contentType }) }
  const isKept = body !== undefined && body.length <= MAX_KEPT_BODY_CHARS
  return { bare: JSON.stringify(bare), outcome: JSON.stringify(isKept ? { ...bare, body } : bare) }
}
