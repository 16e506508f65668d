import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Jwk } from '@hallpass/core'
import { jwkThumbprint } from '@hallpass/core'

/** An ES256 key whose private half is in the open: for tests, and for nothing else. */
export interface TestKey {
  readonly privateKey: KeyObject
  readonly privateJwk: Jwk
  /** With a `kid`, as it is registered and published. */
  readonly publicJwk: Jwk
  /** RFC 7638 thumbprint. */
  readonly jkt: string
}

/** @param kid by default the thumbprint. */
export function testKey(kid?: string): TestKey {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node
  // 20, when garbage collection finds the finished job while the export holds the lock they share.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey
  const privateKey = createPrivateKey({ key: encoded, type: 'pkcs8', format: 'der' })
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' })
  const jkt = jwkThumbprint({ kty: String(kty), crv, x, y })
  const publicJwk = { kty: String(kty), crv, x, y, kid: kid ?? jkt, alg: 'ES256', use: 'sig' }
  return { privateKey, privateJwk: { ...publicJwk, d }, publicJwk, jkt }
}

/** One part of a compact JWS: an object as JSON, or a text as it is, to write what no serialiser would. */
export const jwsPart = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A compact JWS over exactly these parts. What is in it, and whether it makes sense, is up to the test. */
export function signJws(header: object | string, payload: object | string, key: KeyObject | Jwk): string {
  const privateKey = 'kty' in key ? createPrivateKey({ key: { ...key }, format: 'jwk' }) : key
  const input = `${jwsPart(header)}.${jwsPart(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
