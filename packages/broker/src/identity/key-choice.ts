import {
  isPromise,
  ok,
  refuse,
  type Jwk,
  type JwkSet,
  type JsonObject,
  type MaybePromise,
  type Result,
  type SignatureAlgorithm,
  type VerifyKey,
} from '@hallpass/core'
import { importKey } from './signature-holds.ts'

/** Which keys of a set count: `sig` for issuers (or no `use`), `jwt-svid` for trust domains (and nothing else). */
export type KeyUse = 'sig' | 'jwt-svid'

const MAX_KEYS = 100

/** The keys of a JWK Set document that may verify; others in it are nobody's business here. */
export function keysOf(document: JsonObject, use: KeyUse): Result<readonly Jwk[], 'keys-unavailable'> {
  const { keys } = document as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) return refuse('keys-unavailable', 'not a key set')
  return ok(keys.filter((key): key is Jwk => isUsable(key, use)))
}

function isUsable(key: unknown, use: KeyUse): boolean {
  if (typeof key !== 'object' || key === null) return false
  const jwk = key as Partial<Jwk>
  if (typeof jwk.kty !== 'string' || (jwk.kid !== undefined && typeof jwk.kid !== 'string')) return false
  if (use === 'jwt-svid') return jwk.use === 'jwt-svid' && jwk.kid !== undefined
  return jwk.use === undefined || jwk.use === 'sig'
}

/**
 * The one key a header may mean: by `kid` where there is one, else the only key of that type.
 * Two keys under one `kid` and type are no choice. `kid` is compared, never used as a path, URL or query.
 */
export function chooseKey(keys: readonly Jwk[], kid: string | undefined, alg: string): Jwk | undefined {
  const fitting = keys.filter((key) => fits(key, alg) && (kid === undefined || key.kid === kid))
  return fitting.length === 1 ? fitting[0] : undefined
}

function fits(key: Jwk, alg: string): boolean {
  if (key.alg !== undefined && key.alg !== alg) return false
  if (alg.startsWith('ES'))
    return key.kty === 'EC' && key['crv'] === { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg]
  if (alg.startsWith('RS') || alg.startsWith('PS')) return key.kty === 'RSA'
  return key.kty === 'OKP'
}

/** Imported keys by JWK object: an entry goes when its set is replaced. */
const imported = new WeakMap<Jwk, Map<string, VerifyKey>>()

/** Imports a key once per object and algorithm. */
export function importOnce(jwk: Jwk, alg: string): MaybePromise<Result<VerifyKey, 'token-key-unknown'>> {
  const known = imported.get(jwk)?.get(alg)
  if (known) return ok(known)
  const keep = (result: Result<VerifyKey, 'key-invalid'>): Result<VerifyKey, 'token-key-unknown'> => {
    if (!result.ok) return refuse('token-key-unknown', 'the key of the set is not usable')
    const byAlg = imported.get(jwk) ?? new Map<string, VerifyKey>()
    imported.set(jwk, byAlg.set(alg, result.value))
    return result
  }
  const result = importKey(jwk, alg as SignatureAlgorithm)
  return isPromise(result) ? result.then(keep) : keep(result)
}

/** Where the keys of one issuer come from. */
export interface KeySource {
  find(kid: string | undefined, alg: string): MaybePromise<Result<Jwk, 'token-key-unknown' | 'keys-unavailable'>>
}

/** Keys that were pinned as data. */
export function pinnedKeys(set: JwkSet, use: KeyUse): KeySource {
  const keys = set.keys.filter((key) => isUsable(key, use))
  return {
    find(kid, alg) {
      const key = chooseKey(keys, kid, alg)
      return key ? ok(key) : refuse('token-key-unknown')
    },
  }
}
