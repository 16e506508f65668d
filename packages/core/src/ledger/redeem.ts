import type { RefusalReason } from '../reason.ts'
import type { Refused } from '../result.ts'
import { refuse } from '../result.ts'
import { NEVER, statusOf } from './attempts.ts'
import type { Fingerprint } from './fingerprint-set.ts'
import type { RedeemAnswer, RedeemRequest } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import { LiveGrant } from './live-grant.ts'
import { repeatsOf } from './repeats-of.ts'
import { signedGrant } from './signed-grant.ts'
import type { Repeats } from './use.ts'
import { Use, isPlain } from './use.ts'

/** Longer ids would let one caller fill the memory that the bounds count by entries. */
const MAX_ID_CHARS = 256

/**
 * The one step in which a request spends its grant. It runs to its end without yielding: whatever it refuses, no
 * limit was charged, and of two requests for the last use one comes second.
 */
export function redeem(store: LedgerStore, request: RedeemRequest): RedeemAnswer {
  const now = store.tick()
  const grant = findGrant(store, request, now)
  if (!(grant instanceof LiveGrant)) return grant
  const reason = grant.whyOther(request) ?? grant.whyDead(now)
  if (reason !== undefined) return refuse(reason)

  const { attempt, idempotency, amounts } = request
  const mark = store.attemptMark(attempt)
  const resent = answerToResent(store, { grant, request, mark }, now)
  if (resent !== undefined) return resent

  if (idempotency !== undefined && !isId(idempotency.key)) return refuse('request-malformed')
  const repeats = idempotency === undefined ? undefined : repeatsOf(store, grant, request)
  if (typeof repeats === 'string') return refuse(repeats)
  // A duplicate uses up its own proof too: else its capture is answered for as long as the outcome is kept.
  const replay = markProof(store, { grant, request }, now)
  if (replay !== undefined) return refuse(replay)

  const instead = insteadOfUse(store, { grant, request, repeats }, now)
  if (instead !== undefined) {
    if (request.proof !== undefined) store.proofs.keepAttempt(request.proof, attempt)
    return instead
  }

  const use = new Use(grant, request, { mark, at: now, end: now + store.bounds.leaseSeconds })
  use.units = grant.charges.charge(amounts, 1, now)
  use.usesLeft = grant.charges.callsLeft(now)
  grant.actionUses.count += 1
  store.addUse(use, grant)
  if (repeats !== undefined && use.key !== undefined) {
    repeats.byKey.set(use.key, use)
    store.repeats += 1
  }
  return use.toAttempt()
}

function findGrant(store: LedgerStore, request: RedeemRequest, now: number): LiveGrant | Refused<RefusalReason> {
  const registered = store.grants.get(request.jti)
  // A signature does not get past a registration, nor past the revocations that came with it.
  if (registered !== undefined) return registered
  if (request.source === 'signed' && !store.registers) return signedGrant(store, request, now)
  if (now >= request.exp) return refuse('token-expired')
  return refuse(request.iat < Math.floor(store.boot) ? 'incarnation-mismatch' : 'grant-unknown')
}

const OTHER_REQUEST = refuse('idempotency-conflict', 'The attempt id belongs to another request')

/** What an attempt is told that was sent before; undefined where it is new. */
function answerToResent(
  store: LedgerStore,
  { grant, request, mark }: { readonly grant: LiveGrant; readonly request: RedeemRequest; readonly mark: Fingerprint },
  now: number,
): RedeemAnswer | undefined {
  const what = grant.attempted(mark)
  const use = what >= 0 ? store.running.at(what) : grant.keptUse(request.attempt)
  if (use !== undefined) {
    if (isOther(use, request)) return OTHER_REQUEST
    store.lapseIfOver(use, now)
    return use.toAttempt()
  }
  if (what === NEVER) return undefined
  if (!isPlain(request)) return OTHER_REQUEST
  const { event } = request
  const status = statusOf(what)
  if (status === undefined) return { ok: true, state: 'unknown', event }
  return { ok: true, state: 'done', event, outcome: { status } }
}

const isOther = (use: Use, { attempt, event, idempotency }: RedeemRequest): boolean =>
  use.attempt !== attempt || use.event !== event || use.key !== idempotency?.key || use.digest !== idempotency?.digest

/** What a request gets that makes no use of its own: the outcome of an earlier one, or a refusal. */
function insteadOfUse(
  store: LedgerStore,
  asked: { readonly grant: LiveGrant; readonly request: RedeemRequest; readonly repeats: Repeats | undefined },
  now: number,
): RedeemAnswer | undefined {
  const { grant, request, repeats } = asked
  const { idempotency, amounts } = request
  const known = idempotency && repeats?.byKey.get(idempotency.key)
  if (known !== undefined) {
    if (known.digest !== idempotency?.digest) return refuse('idempotency-conflict')
    store.lapseIfOver(known, now)
    return known.toRetry()
  }
  const unfit = grant.charges.whyUnfit(amounts, 1, now)
  if (unfit !== undefined) return unfit
  return store.hasRoomForUse() ? undefined : refuse('ledger-full')
}

function markProof(
  store: LedgerStore,
  { grant, request }: { readonly grant: LiveGrant; readonly request: RedeemRequest },
  now: number,
): RefusalReason | undefined {
  const { proof, attempt } = request
  if (proof === undefined) return undefined
  if (!isId(proof.jti)) return 'proof-malformed'
  if (!(now < proof.acceptUntil && proof.acceptUntil <= now + store.proofWindowSeconds)) return 'proof-time'
  const seen = store.proofs.mark(holderOf(store, grant, proof.jkt), proof.jti, now)
  if (seen === 'first' || (seen === 'seen' && store.proofs.isOwn(proof, attempt))) return undefined
  return seen === 'full' ? 'ledger-full' : 'proof-replayed'
}

/** A grant is bound to one key: what its proofs have in common is worked out once. */
function holderOf(store: LedgerStore, grant: LiveGrant, jkt: string): Fingerprint {
  if (grant.facts.jkt === undefined) return store.proofs.holder(jkt)
  grant.holder ??= store.proofs.holder(jkt)
  return grant.holder
}

const isId = (text: string): boolean => text.length > 0 && text.length <= MAX_ID_CHARS
