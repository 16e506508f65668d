import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { jwkThumbprint } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'

/** An ES256 key pair of the bench: for the issuer, or for a holder. */
export interface Es256Key {
  readonly jwk: Jwk
  readonly jkt: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** For the bench's own processes only. */
  readonly privateJwk: Jwk
  /** Compact JWS of a header that was encoded already and a payload as an object. */
  sign(headerSegment: string, payload: object): string
}

export const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * The key goes through its encoding: in Node 20 exporting a key object that `generateKeyPairSync` returned may wait for
 * itself for ever, when garbage collection finds the finished job while the export holds the lock they share.
 */
export function createEs256Key(): Es256Key {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  return keyOf(createPrivateKey({ key: privateKey, type: 'pkcs8', format: 'der' }))
}

export const importEs256Key = (jwk: Jwk): Es256Key => keyOf(createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }))

function keyOf(privateKey: KeyObject): Es256Key {
  const publicKey = createPublicKey(privateKey)
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'EC', crv: 'P-256', x, y }
  return {
    jwk,
    jkt: jwkThumbprint(jwk),
    privateKey,
    publicKey,
    get privateJwk() {
      return privateKey.export({ format: 'jwk' }) as Jwk
    },
    sign(headerSegment, payload) {
      const input = `${headerSegment}.${segment(payload)}`
      const signature = sign('sha256', Buffer.from(input, 'latin1'), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}
