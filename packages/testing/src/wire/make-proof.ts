import { sha256Base64, sha256Base64url, TYP } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'
import { randomUUID } from 'node:crypto'
import type { TestKey } from '../key/test-key.ts'
import { signJws } from '../key/test-key.ts'

export interface ProofWish {
  readonly method: string
  /** Without query. */
  readonly url: string
  /** NumericDate seconds. */
  readonly now: number
  /** The access token that travels beside it. */
  readonly token?: string
  readonly body?: string
  /** Raw, without `?`. */
  readonly query?: string
  readonly nonce?: string
  /** Claims that replace or, when undefined, remove those of an honest proof. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** The same for header members. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Signs by another key than the header names. */
  readonly signWith?: TestKey
}

/** RFC 9530 value of a SHA-256 digest. */
export const digestValue = (data: string): string => `sha-256=:${sha256Base64(data)}:`

/** The four members of a key that a proof's header carries. */
export function bareJwk({ publicJwk }: TestKey): Jwk {
  const { kty, crv, x, y } = publicJwk as Jwk & Record<'crv' | 'x' | 'y', unknown>
  return { kty, crv, x, y }
}

/** A proof of possession (RFC 9449 section 4.2) by any key, honest or not. */
export function makeProof(key: TestKey, wish: ProofWish): string {
  const { method, url, now, token, body, query, nonce, signWith = key } = wish
  const header = { typ: TYP.proof, alg: 'ES256', jwk: bareJwk(key), ...wish.header }
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: url,
    iat: Math.floor(now),
    ath: token === undefined ? undefined : sha256Base64url(token),
    nonce,
    content_digest: body === undefined ? undefined : digestValue(body),
    query_digest: query === undefined || query === '' ? undefined : digestValue(query),
    ...wish.claims,
  }
  return signJws(header, claims, signWith.privateKey)
}
