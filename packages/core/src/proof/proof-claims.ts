import { sha256Base64, sha256Base64url } from '#crypto'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import { DEFAULT_SKEW_SECONDS, PROOF_CLAIM, PROOF_MAX_AGE_SECONDS } from '../token/constants.ts'
import { isSameUrl } from './request-url.ts'
import type { ProofExpectation } from './expectation.ts'

export interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly acceptUntil: number
  readonly queryBound: boolean
}

const MAX_DATE = 253402300799

const isDate = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_DATE

/** Checks everything about a proof that needs no key (RFC 9449 section 4.3), the cheapest first. */
export function checkProofClaims(payload: JsonObject, expect: ProofExpectation): Result<ProofClaims, RefusalReason> {
  const { jti, htm, htu, iat, exp, nbf, nonce } = payload
  if (typeof jti !== 'string' || jti.length < 16 || jti.length > 128)
    return refuse('proof-malformed', 'jti is 16 to 128 characters')
  if (typeof htm !== 'string' || typeof htu !== 'string' || !isDate(iat))
    return refuse('proof-malformed', 'htm, htu or iat is missing')
  if (htm !== expect.method) return refuse('proof-method')
  if (!isSameUrl(htu, expect.url)) return refuse('proof-url')
  const { now } = expect
  // Written so that a `now` that is not a number refuses.
  if (!(iat >= now - PROOF_MAX_AGE_SECONDS && iat <= now + DEFAULT_SKEW_SECONDS)) return refuse('proof-time')
  if (exp !== undefined && !(isDate(exp) && exp > now)) return refuse('proof-time')
  if (nbf !== undefined && !(isDate(nbf) && nbf <= now + DEFAULT_SKEW_SECONDS)) return refuse('proof-time')
  if (expect.nonce !== undefined && !(nonce === undefined || typeof nonce === 'string')) return refuse('proof-nonce')
  if (expect.nonce !== undefined && !expect.nonce(nonce as string | undefined)) return refuse('proof-nonce')
  if (!isForToken(payload, expect)) return refuse('proof-token')
  if (!bodyFits(payload, expect)) return refuse('proof-body')
  const queryBound = isQueryBound(payload, expect)
  if (queryBound === undefined) return refuse('proof-query')
  const acceptUntil = Math.min(iat + PROOF_MAX_AGE_SECONDS, typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY)
  return ok({ jti, iat, acceptUntil, queryBound })
}

function isForToken(payload: JsonObject, { ath, accessToken }: ProofExpectation): boolean {
  const expected = ath ?? (accessToken === undefined ? undefined : sha256Base64url(accessToken))
  return expected === undefined || payload['ath'] === expected
}

const digestOf = (data: Uint8Array | string): string => `sha-256=:${sha256Base64(data)}:`
const EMPTY = new Uint8Array(0)

function bodyFits(payload: JsonObject, { body, requireBodyDigest }: ProofExpectation): boolean {
  const said = payload[PROOF_CLAIM.contentDigest]
  const hasBody = body !== undefined && body.length > 0
  if (said === undefined) return !hasBody || requireBodyDigest === false
  return said === digestOf(body ?? EMPTY)
}

/** Whether the query is under the proof; undefined where the proof says another query, or has to say one. */
function isQueryBound(payload: JsonObject, { query = '', requireQueryDigest }: ProofExpectation): boolean | undefined {
  const said = payload[PROOF_CLAIM.queryDigest]
  if (said !== undefined) return said === digestOf(query) ? true : undefined
  if (query === '') return true
  return requireQueryDigest === true ? undefined : false
}
