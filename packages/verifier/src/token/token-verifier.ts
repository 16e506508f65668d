import type { MaybePromise, RefusalReason, Refused, Result, SignatureAlgorithm, SignatureCheck } from '@hallpass/core'
import { MAX_GRANT_BYTES, checkGrantClaims, preflight, refuse } from '@hallpass/core'
import { chain } from '../flow/chain.ts'
import type { IssuerKeys } from '../keys/issuer-keys.ts'
import { GenuineToken } from './genuine-token.ts'
import type { TokenCache } from './token-cache.ts'

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly skewSeconds: number
  readonly keys: IssuerKeys
  readonly cache: TokenCache
  readonly checkSignature: SignatureCheck
}

export type TokenVerifier = (token: string, now: number) => MaybePromise<Result<GenuineToken, RefusalReason>>

/** RFC 9068 section 4: `at+jwt`, with or without the media type prefix. */
const TYPES = ['at+jwt', 'application/at+jwt']
const EXPIRED: Refused<RefusalReason> = refuse('token-expired')
const NOT_YET: Refused<RefusalReason> = refuse('not-yet-valid')
const FORGED: Refused<RefusalReason> = refuse('token-signature')
const NO_KEY: Refused<RefusalReason> = refuse('token-key-unknown', 'The token names no key')
const KEYS_STALE: Refused<RefusalReason> = refuse('keys-unavailable', "The issuer's key set is too old to rely on")

/**
 * Verifies grant tokens of one issuer for one audience (RFC 9068 section 4, RFC 8725): strict preflight, claims that
 * cost nothing, then the cache or the signature. Does not check who holds the token, what it is used for, or whether
 * it was revoked or spent.
 */
export function createTokenVerifier(rules: TokenRules): TokenVerifier {
  const { issuer, audience, skewSeconds, keys, cache, checkSignature } = rules
  const shape = { typ: TYPES, alg: rules.algorithms, maxBytes: MAX_GRANT_BYTES }

  return function verifyToken(token, now) {
    const known = cache.get(token)
    if (known !== undefined) {
      if (now >= known.exp) return EXPIRED
      if (now < known.notBefore) return NOT_YET
      return keys.current(now) ? known.found : KEYS_STALE
    }
    const read = preflight(token, shape, now)
    if (!read.ok) return read
    const { header, payload, signingInput, signature } = read.value
    const claims = checkGrantClaims(payload, { issuer, audience, now, skewSeconds })
    if (!claims.ok) return claims
    const { kid, alg } = header
    if (typeof kid !== 'string' || typeof alg !== 'string') return NO_KEY
    return chain(keys.find(kid, alg, now), (key) =>
      key.ok
        ? chain(checkSignature(key.value.key, signingInput, signature), (valid) => {
            if (!valid) return FORGED
            const genuine = new GenuineToken(token, claims.value, { key: key.value, skewSeconds })
            cache.set(genuine)
            return genuine.found
          })
        : key,
    )
  }
}
