import { sha256Base64url } from '#crypto'
import { HallpassError } from '../fault.ts'
import type { Jwk } from '../identity/identity.ts'

/** Required members per key type, in the lexical order RFC 7638 hashes them in. */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['RSA', ['e', 'kty', 'n']],
  ['OKP', ['crv', 'kty', 'x']],
])

/**
 * SHA-256 thumbprint of a public key (RFC 7638, RFC 8037), base64url: the value of `cnf.jkt`.
 *
 * Throws `configuration-invalid` for a key type without one. Does not check that the key is sound: import does.
 */
export function jwkThumbprint(jwk: Jwk): string {
  // Nearly every key is one of these, and what is in it needs no escapes.
  if (jwk.kty === 'EC' && isPlain(jwk['crv']) && isPlain(jwk['x']) && isPlain(jwk['y'])) {
    return sha256Base64url(`{"crv":"${jwk['crv']}","kty":"EC","x":"${jwk['x']}","y":"${jwk['y']}"}`)
  }
  const members = MEMBERS.get(jwk.kty)
  const parts = members?.map((member) => {
    const value = jwk[member]
    return typeof value === 'string' && value !== '' ? `${JSON.stringify(member)}:${JSON.stringify(value)}` : undefined
  })
  if (parts === undefined || parts.includes(undefined)) {
    throw new HallpassError(
      'configuration-invalid',
      'A thumbprint needs an EC, RSA or OKP key with its required members.',
    )
  }
  return sha256Base64url(`{${parts.join(',')}}`)
}

const PLAIN = /^[A-Za-z0-9_-]+$/

const isPlain = (value: unknown): value is string => typeof value === 'string' && PLAIN.test(value)
