import type { Jwk, JwkSet, MaybePromise, SignatureAlgorithm, VerifyKey } from '@hallpass/core'
import { importVerifyKey, isPromise } from '@hallpass/core'
import { chain } from '../flow/chain.ts'
import type { IssuerKey } from './issuer-keys.ts'

/** A key set larger than this is not one. */
const MAX_KEYS = 32
const MAX_KID_LENGTH = 128

interface RingKey extends IssuerKey {
  live: boolean
  /** The JWK's own text: the same `kid` with other material is another key. */
  readonly source: string
}

/** The imported keys of one issuer by `kid`; `replace` keeps those that stayed and kills those that left. */
export interface KeyRing {
  get(kid: string): IssuerKey | undefined
  replace(set: JwkSet): MaybePromise<void>
}

/**
 * Holds an issuer's keys. One algorithm per key, fixed when it is imported; a JWK that cannot verify with one of
 * `algorithms` is left out, and so is every JWK whose `kid` another one has too.
 */
export function createKeyRing(algorithms: readonly SignatureAlgorithm[]): KeyRing {
  let keys = new Map<string, RingKey>()

  const adopt = (next: Map<string, RingKey>): void => {
    for (const [kid, key] of keys) if (next.get(kid) !== key) key.live = false
    keys = next
  }

  return {
    get: (kid) => keys.get(kid),
    replace(set) {
      const kept = new Map<string, RingKey>()
      const pending: Promise<void>[] = []
      const twice = repeatedKids(set.keys)
      for (const jwk of set.keys.slice(0, MAX_KEYS)) {
        const { kid } = jwk
        const algorithm = algorithms.find((candidate) => candidate === (jwk.alg ?? impliedAlgorithm(jwk)))
        if (kid === undefined || kid.length > MAX_KID_LENGTH || algorithm === undefined || twice.has(kid)) continue
        const source = JSON.stringify(jwk)
        const known = keys.get(kid)
        if (known?.source === source) {
          kept.set(kid, known)
          continue
        }
        const added = chain(importVerifyKey(jwk, algorithm), (imported) => {
          if (imported.ok) kept.set(kid, ringKey(kid, algorithm, { key: imported.value, source }))
        })
        if (isPromise(added)) pending.push(added)
      }
      return pending.length === 0 ? adopt(kept) : Promise.all(pending).then(() => adopt(kept))
    },
  }
}

const ringKey = (kid: string, algorithm: string, rest: { key: VerifyKey; source: string }): RingKey => ({
  kid,
  algorithm,
  key: rest.key,
  source: rest.source,
  live: true,
})

function repeatedKids(keys: readonly Jwk[]): Set<string | undefined> {
  const seen = new Set<string | undefined>()
  const twice = new Set<string | undefined>()
  for (const { kid } of keys) (seen.has(kid) ? twice : seen).add(kid)
  return twice
}

/** RFC 7518 and RFC 8037 leave one algorithm for these curves; RSA without `alg` stays unusable. */
function impliedAlgorithm(jwk: Jwk): string | undefined {
  const curves: Readonly<Record<string, string>> = {
    'P-256': 'ES256',
    'P-384': 'ES384',
    'P-521': 'ES512',
    Ed25519: 'EdDSA',
  }
  const curve = jwk['crv']
  return typeof curve === 'string' ? curves[curve] : undefined
}
