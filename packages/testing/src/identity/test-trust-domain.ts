import type { JwkSet, SpiffeIdentity } from '@hallpass/core'
import { spiffe } from '@hallpass/core'
import type { TestKey } from '../key/test-key.ts'
import { signJws, testKey } from '../key/test-key.ts'

export interface SvidWish {
  readonly audience: string | readonly string[]
  readonly lifeSeconds?: number
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Signs by another key than the bundle's. */
  readonly signWith?: TestKey
}

/** A SPIFFE trust domain: its bundle, and JWT-SVIDs signed by it, honest or not. */
export interface TestTrustDomain {
  readonly name: string
  /** The bundle as a key set with `use: jwt-svid`. */
  readonly bundle: JwkSet
  /** Id of a workload: `agents/refund-bot` becomes `spiffe://<name>/agents/refund-bot`. */
  id(path: string): string
  svid(path: string, wish: SvidWish): string
  /** What a policy registers. */
  identity(path: string, audience: string): SpiffeIdentity
}

export function testTrustDomain(name: string, { clock }: { clock: () => number }): TestTrustDomain {
  const key = testKey('td-1')
  const { kty, crv, x, y, kid } = key.publicJwk as TestKey['publicJwk'] & { crv: string; x: string; y: string }
  const bundle: JwkSet = { keys: [{ kty, crv, x, y, use: 'jwt-svid', ...(kid && { kid }) }] }
  const id = (path: string) => `spiffe://${name}/${path}`
  return {
    name,
    bundle,
    id,
    svid(path, { audience, lifeSeconds = 300, claims, header, signWith = key }) {
      const now = Math.floor(clock())
      const payload = { sub: id(path), aud: audience, iat: now, exp: now + lifeSeconds, ...claims }
      return signJws({ alg: 'ES256', kid: 'td-1', typ: 'JWT', ...header }, payload, signWith.privateKey)
    },
    identity: (path, audience) => spiffe({ id: id(path), audience, bundle }),
  }
}
