import { ok, type JwkSet, type WorkloadIdentity } from '@hallpass/core'
import type { Fetch } from '../http/fetch-document.ts'
import { pinnedKeys, type KeySource } from './key-choice.ts'
import { discoverKeys, remoteKeys } from './remote-keys.ts'

export interface KeySources {
  forIdentity(identity: WorkloadIdentity): KeySource
  /** Keys of an issuer: pinned, or by discovery. */
  forIssuer(issuer: string, jwks?: JwkSet): KeySource
}

/** One source per pinned issuer or bundle, whoever uses it; made when first needed and kept. */
export function createKeySources(fetch: Fetch, clock: () => number): KeySources {
  const remote = new Map<string, KeySource>()
  const pinned = new WeakMap<JwkSet, KeySource>()

  const once = (place: string, make: () => KeySource): KeySource => {
    const known = remote.get(place)
    if (known) return known
    const source = make()
    remote.set(place, source)
    return source
  }
  const fromData = (set: JwkSet, use: 'sig' | 'jwt-svid'): KeySource => {
    const source = pinned.get(set) ?? pinnedKeys(set, use)
    pinned.set(set, source)
    return source
  }
  const forIssuer = (issuer: string, jwks?: JwkSet): KeySource =>
    jwks
      ? fromData(jwks, 'sig')
      : once(`issuer ${issuer}`, () => remoteKeys({ locate: discoverKeys(issuer, fetch), use: 'sig', fetch, clock }))

  return {
    forIssuer,
    forIdentity(identity) {
      if (identity.kind === 'oidc') return forIssuer(identity.issuer, identity.jwks)
      if (identity.kind === 'private_key_jwt') return fromData(identity.jwks, 'sig')
      const { bundle } = identity
      if (typeof bundle !== 'string') return fromData(bundle, 'jwt-svid')
      const locate = async () => ok(bundle)
      return once(`bundle ${bundle}`, () => remoteKeys({ locate, use: 'jwt-svid', fetch, clock }))
    },
  }
}
