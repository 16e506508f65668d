import { importVerifyKey, verifySignature } from '#crypto'
import type { JwkSet } from '../identity/identity.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { isSignatureAlgorithm } from '../token/algorithm.ts'
import { MAX_ASSERTION_BYTES } from '../token/constants.ts'
import type { ReadToken } from '../token/preflight.ts'
import { preflight } from '../token/preflight.ts'

/** Who an identity provider says has a key. */
export interface KeyIntroduction {
  readonly iss: string | undefined
  readonly sub: string
}

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519']
const TYPES = ['', 'JWT', 'JOSE', 'at+jwt', 'client-authentication+jwt']

/** The only audience of an assertion that introduces a key: nobody takes it as a credential. */
export const keyAudience = (jkt: string): string => `urn:hallpass:key:${jkt}`

function read(assertion: unknown, jkt: string): ReadToken | undefined {
  if (typeof assertion !== 'string') return undefined
  const token = preflight(assertion, { typ: TYPES, alg: ALGORITHMS, maxBytes: MAX_ASSERTION_BYTES })
  if (!token.ok) return undefined
  const { aud } = token.value.payload
  const sole: unknown = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  return sole === keyAudience(jkt) ? token.value : undefined
}

/** Whether this is an identity assertion for nothing but this key: one for anybody else is a credential, and secret. */
export const isIntroduction = (assertion: unknown, jkt: string): assertion is string =>
  read(assertion, jkt) !== undefined

/**
 * Checks that one of these keys, of a workload's identity provider, signed that the key with this thumbprint is the
 * workload's. Does not check when: the assertion is over soon, what it says is not.
 */
export async function verifyIntroduction(
  assertion: unknown,
  jkt: string,
  identities: JwkSet,
): Promise<Result<KeyIntroduction, 'introduction-invalid'>> {
  const token = read(assertion, jkt)
  if (token === undefined) return refuse('introduction-invalid', 'It is not an introduction of this key')
  const { header, payload, signingInput, signature } = token
  const { alg, kid } = header
  const { iss, sub } = payload
  if (typeof sub !== 'string' || !isSignatureAlgorithm(alg)) return refuse('introduction-invalid', 'It names nobody')
  for (const jwk of identities.keys.filter((each) => kid === undefined || each.kid === kid)) {
    const key = await Promise.resolve(importVerifyKey(jwk, alg))
    if (key.ok && (await Promise.resolve(verifySignature(key.value, signingInput, signature))))
      return ok({ iss: typeof iss === 'string' ? iss : undefined, sub })
  }
  return refuse('introduction-invalid', 'No key of the identity provider given here signed it')
}
