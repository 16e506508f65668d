import { MAX_TTL_SECONDS } from '../token/constants.ts'
import type { RefusalReason } from '../reason.ts'
import type { Refused } from '../result.ts'
import { refuse } from '../result.ts'
import { Charges } from './charges.ts'
import { capsOwnCalls, checkLimits } from './check-limits.ts'
import { Counter } from './counter.ts'
import type { RedeemRequest } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import { LiveGrant } from './live-grant.ts'

/**
 * A grant in a verifier's own store: made known by its signature, with the limits it is signed with. The boot rule
 * keeps one that may have been spent before a restart from being spent again.
 */
export function signedGrant(
  store: LedgerStore,
  request: RedeemRequest,
  now: number,
): LiveGrant | Refused<RefusalReason> {
  let home = store.signedGrants.get(request.issuer)
  if (home === undefined) store.signedGrants.set(request.issuer, (home = new Map()))
  const known = home.get(request.jti)
  if (known !== undefined) return known

  const refusal = whyNotAdopted(store, request, now)
  if (refusal !== undefined) return refusal
  const charges = request.limits.map((limit) => ({ limit: { ...limit }, counter: new Counter(limit) }))
  const grant = new LiveGrant(factsOf(request), new Charges(charges), { stops: store.stops })
  store.addGrant(grant, home)
  return grant
}

function whyNotAdopted(store: LedgerStore, request: RedeemRequest, now: number): Refused<RefusalReason> | undefined {
  const { iat, exp, limits } = request
  const { maxSkewSeconds } = store.bounds
  if (!Number.isFinite(iat) || !Number.isFinite(exp)) return refuse('token-claims')
  if (!(now < exp)) return refuse('token-expired')
  if (iat > now + maxSkewSeconds) return refuse('not-yet-valid')
  if (exp - iat > MAX_TTL_SECONDS) return refuse('lifetime-exceeded')
  // The issuer's clock may be ahead of this one by the skew: so may what was spent here before the restart.
  if (iat < store.boot + maxSkewSeconds) {
    return refuse('incarnation-mismatch', `Issued before this ledger, or less than ${maxSkewSeconds} s after its start`)
  }
  const problem = checkLimits(limits, ['grant'])
  if (problem !== undefined) return problem
  if (!capsOwnCalls(limits)) return refuse('details-invalid', 'The grant has no cap on its own calls')
  return store.hasRoomForGrant() ? undefined : refuse('ledger-full')
}

const factsOf = (request: RedeemRequest) => ({
  issuer: request.issuer,
  jti: request.jti,
  txn: request.txn,
  clientId: request.clientId,
  audience: request.audience,
  action: request.action,
  resource: undefined,
  iat: request.iat,
  exp: request.exp,
  jkt: request.proof?.jkt,
  owner: request.owner,
  policyVersion: request.policyVersion,
  deadline: request.deadline,
})
