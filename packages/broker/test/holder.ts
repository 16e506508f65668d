import { encodeBase64url, jwkThumbprint, sha256Base64, sha256Base64url, type Jwk } from '@hallpass/core'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'

export const segment = (value: object | string): string =>
  encodeBase64url(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicJwk: Jwk
  readonly jkt: string
}

export function keyPair(): KeyPair {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const privateKey = createPrivateKey(encoded.privateKey)
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' }) as Record<
    'kty' | 'crv' | 'x' | 'y',
    string
  >
  const publicJwk = { kty, crv, x, y }
  return { privateKey, publicJwk, jkt: jwkThumbprint(publicJwk) }
}

/** A compact JWS by node:crypto: what is in it is up to the test. */
export function jws(header: object, payload: object | string, key: KeyObject): string {
  const input = `${segment(header)}.${segment(payload)}`
  return `${input}.${encodeBase64url(sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }))}`
}

export interface ProofWish {
  readonly url: string
  readonly iat: number
  readonly method?: string
  readonly accessToken?: string
  readonly body?: string | undefined
  readonly nonce?: string
  readonly jti?: string
  readonly claims?: object
  readonly header?: object
}

/** A DPoP proof (RFC 9449) by this key. */
export function prove(pair: KeyPair, wish: ProofWish): string {
  const { url, iat, method = 'POST', accessToken, body, nonce, jti = randomUUID() } = wish
  const payload = {
    jti,
    htm: method,
    htu: url,
    iat: Math.floor(iat),
    ...(accessToken === undefined ? {} : { ath: sha256Base64url(accessToken) }),
    ...(body === undefined ? {} : { content_digest: `sha-256=:${sha256Base64(body)}:` }),
    ...(nonce === undefined ? {} : { nonce }),
    ...wish.claims,
  }
  return jws({ typ: 'dpop+jwt', alg: 'ES256', jwk: pair.publicJwk, ...wish.header }, payload, pair.privateKey)
}

export interface AssertionWish {
  readonly sub: string
  readonly aud: unknown
  readonly now: number
  readonly claims?: object
  readonly header?: object
}

/** A `private_key_jwt` client assertion. */
export const assertion = (pair: KeyPair, { sub, aud, now, claims, header }: AssertionWish): string =>
  jws(
    { alg: 'ES256', typ: 'JWT', ...header },
    { iss: sub, sub, aud, iat: Math.floor(now), exp: Math.floor(now) + 60, jti: randomUUID(), ...claims },
    pair.privateKey,
  )
