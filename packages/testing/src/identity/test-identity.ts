import type { PrivateKeyJwtIdentity, TokenSource } from '@hallpass/core'
import { privateKeyJwt } from '@hallpass/core'
import { randomUUID } from 'node:crypto'
import type { TestKey } from '../key/test-key.ts'
import { signJws, testKey } from '../key/test-key.ts'

/** Both sides of one workload's identity: what a policy or a broker registers, and what the workload runs with. */
export interface TestIdentity {
  readonly registered: PrivateKeyJwtIdentity
  readonly source: TokenSource
  readonly key: TestKey
}

/** An identity that needs no provider: the workload signs its own assertions (RFC 7523) by a key made now. */
export function testIdentity(id: string, { audience, clock }: { audience: string; clock: () => number }): TestIdentity {
  const key = testKey()
  const registered = privateKeyJwt({ audience, subject: id, jwks: { keys: [key.publicJwk] } })
  const source: TokenSource = {
    type: 'jwt-bearer',
    clientId: id,
    async assertion(aud) {
      const iat = Math.floor(clock())
      const claims = { iss: id, sub: id, aud, iat, exp: iat + 60, jti: randomUUID() }
      return signJws({ alg: 'ES256', typ: 'JWT', kid: key.publicJwk.kid }, claims, key.privateKey)
    },
  }
  return { registered, source, key }
}
