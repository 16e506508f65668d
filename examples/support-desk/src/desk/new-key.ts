import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { JWK } from 'jose'

export interface NewKey {
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** An ES256 key pair as JWKs. Through its encoding: on Node 20 a fresh key object can hang while it is exported. */
export const newJwks = (): NewKey => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const key = createPrivateKey(privateKey)
  return {
    privateJwk: key.export({ format: 'jwk' }),
    publicJwk: createPublicKey(key).export({ format: 'jwk' }),
  }
}
