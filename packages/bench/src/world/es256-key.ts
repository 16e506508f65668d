import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { jwkThumbprint } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'

/** An ES256 key pair of the bench: for the issuer, or for a holder. */
export interface Es256Key {
  readonly jwk: Jwk
  readonly jkt: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Compact JWS of a header that was encoded already and a payload as an object. */
  sign(headerSegment: string, payload: object): string
}

export const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export function createEs256Key(): Es256Key {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = createPublicKey(privateKey)
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'EC', crv: 'P-256', x, y }
  return {
    jwk,
    jkt: jwkThumbprint(jwk),
    privateKey,
    publicKey,
    sign(headerSegment, payload) {
      const input = `${headerSegment}.${segment(payload)}`
      const signature = sign('sha256', Buffer.from(input, 'latin1'), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}
