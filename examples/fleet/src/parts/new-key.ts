import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { Jwk } from '@hallpass/core'

/** An ES256 key pair as JWKs; through PEM, which every Node can export a fresh key to. */
export function newKey(kid: string): { readonly privateJwk: Jwk; readonly publicJwk: Jwk } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const named = { kid, alg: 'ES256', use: 'sig' }
  return {
    privateJwk: { ...createPrivateKey(privateKey).export({ format: 'jwk' }), ...named } as Jwk,
    publicJwk: { ...createPublicKey(publicKey).export({ format: 'jwk' }), ...named } as Jwk,
  }
}
