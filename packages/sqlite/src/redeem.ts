import type { Limit, RedeemAnswer, RedeemRequest, RefusalReason, Refused } from '@hallpass/core'
import { PROOF_MAX_AGE_SECONDS, matchResource, refuse } from '@hallpass/core'
import { charge, holdersOf } from './counters.ts'
import type { Write } from './life.ts'
import { toSeconds, toUs } from './life.ts'
import { reservationOf } from './reservation.ts'
import type { GrantRow, UseRow } from './rows.ts'
import { GRANTS, whyDead } from './rows.ts'
import type { SqliteBounds } from './sqlite-ledger-options.ts'

const MAX_ID_CHARS = 256

/**
 * The one step in which a request spends its grant. BEGIN IMMEDIATE keeps every other writer out of the file until
 * the answer is committed, so what is read here still holds when it is written.
 */
export function redeem(
  write: Write,
  request: RedeemRequest,
  { bounds, secret }: { readonly bounds: SqliteBounds; readonly secret: string },
): RedeemAnswer {
  const grant = write.file.get<GrantRow>(`${GRANTS} WHERE g.jti = ?`, request.jti)
  if (grant === undefined) return refuse(whyUnknown(write, request))
  const reason = whyOther(grant, request) ?? whyDead(grant, write)
  if (reason !== undefined) return refuse(reason)

  const sentBefore = write.file.get<UseRow>(
    'SELECT * FROM hallpass_use WHERE jti = ? AND attempt = ?',
    request.jti,
    request.attempt,
  )
  if (sentBefore !== undefined) {
    if (isOther(sentBefore, request)) return refuse('idempotency-conflict', 'The attempt id belongs to another request')
    return toAttempt(sentBefore, write.now)
  }

  const { idempotency } = request
  if (idempotency !== undefined && !isId(idempotency.key)) return refuse('request-malformed')
  // A duplicate uses up its own proof too: else its capture is answered for as long as the outcome is kept.
  const replay = markProof(write, request, bounds.maxSkewSeconds)
  if (replay !== undefined) return refuse(replay)

  const known = idempotency && keyed(write, request, idempotency.key)
  if (known !== undefined) {
    if (known.digest !== idempotency?.digest) return refuse('idempotency-conflict')
    return toRetry(known, write.now)
  }
  return spend(write, grant, { request, secret, leaseSeconds: bounds.leaseSeconds })
}

function whyUnknown({ now, life }: Write, { iat, exp }: RedeemRequest): RefusalReason {
  if (!(now < toUs(exp))) return 'token-expired'
  return iat < Math.floor(toSeconds(life.since_us)) ? 'incarnation-mismatch' : 'grant-unknown'
}

/** Why a request that names this grant is not about what was granted, or undefined when it is. */
function whyOther(grant: GrantRow, request: RedeemRequest): RefusalReason | undefined {
  if (request.audience !== grant.audience) return 'audience-mismatch'
  if (request.issuer !== grant.issuer || request.txn !== grant.txn) return 'grant-unknown'
  if (request.clientId !== grant.client_id) return 'grant-unknown'
  if (toUs(request.iat) !== grant.iat_us || toUs(request.exp) !== grant.exp_us) return 'grant-unknown'
  if (request.action !== grant.action) return 'action-mismatch'
  if (!matchResource(grant.resource, request.resource)) return 'resource-mismatch'
  if (grant.jkt === null || grant.jkt === request.proof?.jkt) return undefined
  return request.proof === undefined ? 'proof-missing' : 'binding-failed'
}

const keyed = ({ file }: Write, { txn, audience }: RedeemRequest, key: string): UseRow | undefined =>
  file.get<UseRow>(
    'SELECT * FROM hallpass_use WHERE txn = ? AND audience = ? AND idempotency_key = ?',
    txn,
    audience,
    key,
  )

function spend(
  write: Write,
  grant: GrantRow,
  { request, secret, leaseSeconds }: { request: RedeemRequest; secret: string; leaseSeconds: number },
): RedeemAnswer {
  const { attempt, event, idempotency, amounts, jti, txn, audience } = request
  let units: string | null = null
  if (grant.charges === null) {
    if (grant.used >= grant.calls_max) return exhausted(grant)
  } else {
    const limits = JSON.parse(grant.charges) as Limit[]
    const charged = charge(write, { limits, used: grant.used }, { holders: holdersOf(grant), amounts, uses: 1 })
    if ('ok' in charged) return charged
    units = JSON.stringify(charged)
  }
  const usesLeft = grant.calls_max - grant.used - 1
  write.file.run('UPDATE hallpass_grant SET used = used + 1 WHERE jti = ?', jti)
  const use = write.file.get<{ seq: number }>(
    `INSERT INTO hallpass_use (secret, jti, txn, audience, attempt, event, idempotency_key, digest, at_us, lease_end_us,
      state, uses_left, units, resource, outbox) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?) RETURNING seq`,
    secret,
    jti,
    txn,
    audience,
    attempt,
    event,
    idempotency?.key ?? null,
    idempotency?.digest ?? null,
    write.now,
    write.now + toUs(leaseSeconds),
    usesLeft,
    units,
    request.resource === grant.resource ? null : request.resource,
    request.outbox === true ? 1 : 0,
  )
  if (use === undefined) throw new Error('The use was not written')
  return { ok: true, state: 'first', reservation: reservationOf(use.seq, secret), at: toSeconds(write.now), usesLeft }
}

/** The first of its caps that has no room, as the grant names it. */
function exhausted({ record, used }: GrantRow): Refused<RefusalReason> & { readonly limit?: string } {
  const { limits } = JSON.parse(record) as { readonly limits: readonly Limit[] }
  const limit = limits.find(({ max }) => used >= max)?.id
  return { ok: false, reason: 'grant-exhausted', ...(limit !== undefined && { limit }) }
}

const isOther = (use: UseRow, { event, idempotency }: RedeemRequest): boolean =>
  use.event !== event ||
  // A use that was given back has forgotten its key.
  (use.state !== 'released' && use.idempotency_key !== (idempotency?.key ?? null)) ||
  use.digest !== (idempotency?.digest ?? null)

function markProof(
  { file, now }: Write,
  { proof, attempt }: RedeemRequest,
  maxSkewSeconds: number,
): RefusalReason | undefined {
  if (proof === undefined) return undefined
  if (!isId(proof.jti)) return 'proof-malformed'
  const until = toUs(proof.acceptUntil)
  const window = toUs(PROOF_MAX_AGE_SECONDS + 2 * maxSkewSeconds)
  if (!(now < until && until <= now + window)) return 'proof-time'
  const name = `${proof.jkt} ${proof.jti}`
  const known = file.get<{ attempt: string }>('SELECT attempt FROM hallpass_proof WHERE proof = ?', name)
  // The same attempt sent again carries its own proof again: that is no replay.
  if (known !== undefined) return known.attempt === attempt ? undefined : 'proof-replayed'
  // Another request may name a later end for the same proof: what counts is the longest that anybody could.
  const due = now + window + toUs(maxSkewSeconds)
  file.run('INSERT INTO hallpass_proof (proof, attempt, due_us) VALUES (?, ?, ?)', name, attempt, due)
  return undefined
}

const isId = (text: string): boolean => text.length > 0 && text.length <= MAX_ID_CHARS

/** What the attempt that made this use is told when it is sent again. */
function toAttempt(use: UseRow, now: number): RedeemAnswer {
  if (use.state !== 'running' || now >= use.lease_end_us) return toRetry(use, now)
  const reservation = reservationOf(use.seq, use.secret)
  return { ok: true, state: 'first', reservation, at: toSeconds(use.at_us), usesLeft: use.uses_left }
}

/** What another request with the same idempotency key is told. */
function toRetry({ event, state, outcome, lease_end_us }: UseRow, now: number): RedeemAnswer {
  if (state === 'done' && outcome !== null) return { ok: true, state: 'done', event, outcome: JSON.parse(outcome) }
  return { ok: true, state: state === 'running' && now < lease_end_us ? 'running' : 'unknown', event }
}
