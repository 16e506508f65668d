import { randomUUID } from 'node:crypto'
import type { Jwk, TokenSource } from '@hallpass/core'
import { importEs256Key, segment } from '../world/es256-key.ts'
import { AUDIENCE } from '../world/orders-api.ts'

/** The API's identity by its private key, in whichever process of it. */
export function apiIdentity(privateJwk: Jwk): TokenSource {
  const key = importEs256Key(privateJwk)
  const header = segment({ alg: 'ES256', typ: 'JWT', kid: 'api' })
  return {
    type: 'jwt-bearer',
    clientId: AUDIENCE,
    async assertion(aud) {
      const iat = Math.floor(Date.now() / 1000)
      return key.sign(header, { iss: AUDIENCE, sub: AUDIENCE, aud, iat, exp: iat + 60, jti: randomUUID() })
    },
  }
}
