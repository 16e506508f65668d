import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Jwk, SignatureAlgorithm } from '@hallpass/core'
import { jwkThumbprint } from '@hallpass/core'

/** A key whose private half is in the open, the same in every run: input that is kept can be signed again. */
export interface FuzzKey {
  readonly alg: SignatureAlgorithm
  /** Only the members that make the key. */
  readonly jwk: Jwk
  readonly privateJwk: Jwk
  readonly privateKey: KeyObject
  readonly jkt: string
}

const CURVES = {
  ES256: { curve: 'prime256v1', crv: 'P-256', bytes: 32, hash: 'sha256' },
  ES384: { curve: 'secp384r1', crv: 'P-384', bytes: 48, hash: 'sha384' },
  ES512: { curve: 'secp521r1', crv: 'P-521', bytes: 66, hash: 'sha512' },
} as const

/** The name is the secret. */
function curveKey(name: string, alg: keyof typeof CURVES): FuzzKey {
  const { curve, crv, bytes, hash } = CURVES[alg]
  const secret = createHash(hash).update(name).digest()
  const d = Buffer.concat([Buffer.alloc(bytes - secret.length), secret])
  const exchange = createECDH(curve)
  exchange.setPrivateKey(d)
  const point = exchange.getPublicKey()
  const text = (from: number) => point.subarray(from, from + bytes).toString('base64url')
  return fuzzKey(alg, { kty: 'EC', crv, x: text(1), y: text(1 + bytes) }, { d: d.toString('base64url') })
}

const ED25519_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

function edwardsKey(name: string, alg: 'EdDSA' | 'Ed25519'): FuzzKey {
  const secret = createHash('sha256').update(name).digest()
  const privateKey = createPrivateKey({ key: Buffer.concat([ED25519_HEAD, secret]), format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return fuzzKey(alg, { kty: 'OKP', crv: 'Ed25519', x }, { d: secret.toString('base64url') })
}

/** The key of RFC 7520 section 3.4: making one takes longer than a thousand cases. */
function rsaKey(alg: 'RS256' | 'PS256'): FuzzKey {
  const file = new URL('../../core/vectors/ietf-jose-cookbook/jwk/3_4.rsa_private_key.json', import.meta.url)
  const { kty, n, e, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Jwk
  const { d, p, q, dp, dq, qi } = rest as Record<string, unknown>
  return fuzzKey(alg, { kty, n, e }, { d, p, q, dp, dq, qi })
}

function fuzzKey(alg: SignatureAlgorithm, jwk: Jwk, secret: object): FuzzKey {
  const privateJwk: Jwk = { ...jwk, ...secret }
  const privateKey = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
  return { alg, jwk, privateJwk, privateKey, jkt: jwkThumbprint(jwk) }
}

export const KEYS = {
  issuer: curveKey('issuer', 'ES256'),
  holder: curveKey('holder', 'ES256'),
  stranger: curveKey('stranger', 'ES256'),
  es384: curveKey('es384', 'ES384'),
  es512: curveKey('es512', 'ES512'),
  eddsa: edwardsKey('eddsa', 'EdDSA'),
  ed25519: edwardsKey('ed25519', 'Ed25519'),
  rs256: rsaKey('RS256'),
  ps256: rsaKey('PS256'),
} as const satisfies Record<string, FuzzKey>

export type KeyName = keyof typeof KEYS
export const KEY_NAMES = Object.keys(KEYS) as readonly KeyName[]
