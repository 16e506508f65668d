import { isObject } from '../json/is-object.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import type { StatusBits } from './status-list-encoding.ts'

export interface StatusListExpectation {
  /** The `uri` of the grant: `sub` must be exactly this. */
  readonly uri: string
  /** Where the token names an issuer, it must be this one. */
  readonly issuer?: string
  readonly now: number
  /** `iat` of the last list accepted for this uri: an older one would undo revocations. */
  readonly lastIat: number | undefined
  /** Age, from its signature on, at which a list says nothing any more. */
  readonly maxStalenessSeconds: number
  readonly skewSeconds: number
}

export interface StatusListClaims {
  readonly iat: number
  readonly bits: StatusBits
  readonly lst: string
  /** When to ask for a newer one: the `ttl` the issuer gives, held between 5 s and 5 min. */
  readonly refreshAt: number
  /** When this one must not be used any more. */
  readonly usableUntil: number
}

const DEFAULT_TTL = 60
const LEAST_TTL = 5
const MOST_TTL = 300

/**
 * Checks the claims of a status list token (Token Status List section 8.3): subject, times, rollback, shape. Refuses
 * with `status-stale` what a newer list may cure. Pure. Does not check signature or `typ`, and does not inflate `lst`.
 */
export function checkStatusListClaims(
  payload: JsonObject,
  expect: StatusListExpectation,
): Result<StatusListClaims, RefusalReason> {
  const { iss, sub, iat, exp, nbf, ttl, status_list: list } = payload
  const { now, lastIat, maxStalenessSeconds } = expect
  if (sub !== expect.uri) return refuse('token-claims', 'sub is not the uri of the list')
  if (iss !== undefined && expect.issuer !== undefined && iss !== expect.issuer) return refuse('issuer-unknown')
  if (!isTime(iat)) return refuse('token-claims', 'iat is missing or not a time')
  if (exp !== undefined && !isTime(exp)) return refuse('token-claims', 'exp is not a time')
  if (nbf !== undefined && !isTime(nbf)) return refuse('token-claims', 'nbf is not a time')
  if (ttl !== undefined && !(isTime(ttl) && ttl > 0)) return refuse('token-claims', 'ttl is not a positive number')
  if (!isObject(list)) return refuse('token-claims', 'status_list is missing')
  const { bits, lst } = list
  if (!isBits(bits)) return refuse('token-claims', 'bits is not 1, 2, 4 or 8')
  if (typeof lst !== 'string' || !/^[\w-]+$/.test(lst)) return refuse('token-claims', 'lst is not base64url')

  const usableUntil = Math.min(iat + maxStalenessSeconds, exp ?? Number.POSITIVE_INFINITY)
  if (!(iat <= now + expect.skewSeconds && (nbf ?? iat) <= now + expect.skewSeconds))
    return refuse('status-stale', 'The list is from the future')
  if (!(now < usableUntil)) return refuse('status-stale', 'The list is too old')
  if (lastIat !== undefined && iat < lastIat) return refuse('status-stale', 'A newer list was seen before')
  const wait = Math.min(Math.max(ttl ?? DEFAULT_TTL, LEAST_TTL), MOST_TTL)
  return ok({ iat, bits, lst, refreshAt: Math.min(now + wait, usableUntil), usableUntil })
}

const isTime = (value: JsonValue | undefined): value is number => Number.isFinite(value) && (value as number) >= 0

const isBits = (value: JsonValue | undefined): value is StatusBits =>
  value === 1 || value === 2 || value === 4 || value === 8
