import { ok, refuse, type JsonObject, type JsonValue, type RefusalReason, type Result } from '@hallpass/core'

export interface ClaimsExpectation {
  readonly issuer?: string
  readonly subject: string
  /** The sole audience. */
  readonly audience: string
  /** True where issuers write one audience as an array, as Kubernetes does. */
  readonly audienceArray: boolean
  /** NumericDate seconds. */
  readonly now: number
  readonly skewSeconds: number
  /** Longest time an assertion may still be good for, and longest time ago that it may have been signed. */
  readonly maxLifeSeconds: number
}

const MAX_DATE = 253_402_300_799

/**
 * Checks the claims of a client assertion (RFC 7523 section 3 with the audience rule of rfc7523bis).
 * Does not check the signature, nor whether it was used before.
 */
export function checkAssertionClaims(
  claims: JsonObject,
  expect: ClaimsExpectation,
): Result<{ exp: number }, RefusalReason> {
  const own = (name: string): JsonValue | undefined => (Object.hasOwn(claims, name) ? claims[name] : undefined)
  const exp = own('exp')
  if (expect.issuer !== undefined && own('iss') !== expect.issuer) return refuse('issuer-unknown')
  if (own('sub') !== expect.subject) return refuse('identity-invalid', 'subject')
  if (soleAudience(own('aud'), expect.audienceArray) !== expect.audience) return refuse('audience-mismatch')
  if (!isDate(exp) || !isDateOrAbsent(own('iat')) || !isDateOrAbsent(own('nbf'))) return refuse('token-claims', 'dates')
  const jti = own('jti')
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || jti.length > 1024))
    return refuse('token-claims', 'jti')
  const latest = expect.now + expect.skewSeconds
  if (exp <= expect.now) return refuse('token-expired')
  if (Number(own('iat') ?? 0) > latest || Number(own('nbf') ?? 0) > latest) return refuse('not-yet-valid')
  if (exp - expect.now > expect.maxLifeSeconds) return refuse('lifetime-exceeded')
  // An issuer that says when it signed is held to it: old ones are what leaks.
  if (expect.now - Number(own('iat') ?? expect.now) > expect.maxLifeSeconds) return refuse('lifetime-exceeded', 'age')
  return ok({ exp })
}

function soleAudience(aud: JsonValue | undefined, array: boolean): JsonValue | undefined {
  if (array && Array.isArray(aud)) return aud.length === 1 ? (aud[0] as JsonValue) : undefined
  return aud
}

const isDate = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= MAX_DATE
const isDateOrAbsent = (value: JsonValue | undefined): boolean => value === undefined || isDate(value)
