import type { Jwk, TokenSource } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { CryptoKey } from 'jose'
import { importJWK, SignJWT } from 'jose'
import { randomToken } from '#crypto'
import { checkClientId } from './check-client-id.ts'

/** Seconds an assertion is good for: one request. */
const LIFE_SECONDS = 60

export interface SignedAssertionOptions {
  readonly clientId: string
  /** Private key whose public half the policy registers. Imported once, as a key that cannot be exported. */
  readonly key: Jwk
  /** `iss` and `sub`, where the policy registers another subject than the clientId. */
  readonly subject?: string
  /** NumericDate seconds; for tests. */
  readonly clock?: () => number
}

/**
 * Identity by an assertion the agent signs itself (`private_key_jwt`, RFC 7523): for workloads without an identity
 * provider. `aud` is the broker's issuer identifier and nothing else (rfc7523bis).
 *
 * @throws `HallpassError` with `configuration-invalid` for a key that is not private or of no known algorithm.
 */
export function signedAssertion(options: SignedAssertionOptions): TokenSource {
  const { clientId, key, subject = clientId, clock = () => Date.now() / 1000 } = options
  checkClientId(clientId)
  const alg = algorithmOf(key)
  const { kid } = key
  const header = kid === undefined ? { alg } : { alg, kid }
  let imported: Promise<CryptoKey> | undefined
  const jwk = { ...key }
  return {
    type: 'jwt-bearer',
    clientId,
    async assertion(audience) {
      imported ??= importPrivate(jwk, alg)
      const now = Math.floor(clock())
      return new SignJWT({ jti: randomToken() })
        .setProtectedHeader(header)
        .setIssuer(subject)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + LIFE_SECONDS)
        .sign(await imported)
    },
  }
}

const byCurve: ReadonlyMap<unknown, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['Ed25519', 'EdDSA'],
])

function algorithmOf(key: Jwk | undefined): string {
  const alg = key?.alg ?? byCurve.get(key?.['crv']) ?? (key?.kty === 'RSA' ? 'RS256' : undefined)
  if (typeof key?.['d'] === 'string' && alg !== undefined) return alg
  throw new HallpassError(
    'configuration-invalid',
    'signedAssertion() needs a private JWK: EC P-256 or P-384, Ed25519 or RSA',
  )
}

async function importPrivate(jwk: Jwk, alg: string): Promise<CryptoKey> {
  try {
    return (await importJWK({ ...jwk }, alg, { extractable: false })) as CryptoKey
  } catch {
    // The cause may quote the key.
    throw new HallpassError('key-unavailable', 'The private key of signedAssertion() cannot be imported')
  }
}
