import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Jwk, TokenSource } from '@hallpass/core'

const ASSERTION_SECONDS = 60

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function signed(header: object, claims: object, key: KeyObject): string {
  const input = `${segment(header)}.${segment(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** A workload that signs its own assertion with this key (`private_key_jwt`, RFC 7523). */
export function keyIdentity(clientId: string, privateJwk: Jwk): TokenSource {
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
  const { kid } = privateJwk
  return {
    type: 'jwt-bearer',
    clientId,
    async assertion(audience) {
      const iat = Math.floor(Date.now() / 1000)
      const jti = randomBytes(16).toString('base64url')
      const claims = { iss: clientId, sub: clientId, aud: audience, iat, exp: iat + ASSERTION_SECONDS, jti }
      return signed({ alg: 'ES256', typ: 'JWT', ...(kid !== undefined && { kid }) }, claims, key)
    },
  }
}

export interface ProofFor {
  readonly method: string
  readonly url: string
  readonly accessToken?: string
  readonly body?: string
  readonly nonce?: string
}

/** Makes DPoP proofs (RFC 9449) with a key of this process. */
export function proofMaker(): (wanted: ProofFor) => string {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const privateKey = createPrivateKey(encoded.privateKey)
  const { kty, crv, x, y } = privateKey.export({ format: 'jwk' })
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }
  const digest = (text: string, encoding: 'base64' | 'base64url'): string =>
    createHash('sha256').update(text).digest(encoding)
  return ({ method, url, accessToken, body, nonce }) =>
    signed(
      header,
      {
        jti: randomBytes(16).toString('base64url'),
        htm: method,
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ...(accessToken !== undefined && { ath: digest(accessToken, 'base64url') }),
        ...(body !== undefined && { content_digest: `sha-256=:${digest(body, 'base64')}:` }),
        ...(nonce !== undefined && { nonce }),
      },
      privateKey,
    )
}
