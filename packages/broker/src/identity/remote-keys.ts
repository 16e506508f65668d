import { ok, refuse, type Jwk, type Result } from '@hallpass/core'
import { fetchDocument, type Fetch } from '../http/fetch-document.ts'
import { chooseKey, keysOf, type KeySource, type KeyUse } from './key-choice.ts'

export interface RemoteKeysOptions {
  /** Finds the address of the key set: configured, or discovered from the pinned issuer. */
  readonly locate: () => Promise<Result<string, 'keys-unavailable'>>
  readonly use: KeyUse
  readonly fetch: Fetch
  /** NumericDate seconds. */
  readonly clock: () => number
}

/** Between two fetches, whatever tokens ask for: a flood of unknown key ids costs one fetch per cool-down. */
export const COOL_DOWN_SECONDS = 30
/** As long after a fetch that failed while there is no set to fall back on. */
export const RETRY_SECONDS = 5
/** A set older than this is fetched again before it is used. */
export const FRESH_SECONDS = 600
/** A set older than this is not used any more, even if the issuer does not answer. */
export const USABLE_SECONDS = 3600

/** The key set of one issuer over the network: fetched when first needed, again for an unknown key id, one fetch at a time. */
export function remoteKeys({ locate, use, fetch, clock }: RemoteKeysOptions): KeySource {
  let keys: readonly Jwk[] = []
  let loadedAt = -Infinity
  let triedAt = -Infinity
  let loading: Promise<void> | undefined

  const isUsable = (): boolean => clock() - loadedAt <= USABLE_SECONDS

  async function load(): Promise<void> {
    const place = await locate()
    if (!place.ok) return
    const document = await fetchDocument(fetch, place.value)
    if (!document.ok) return
    const found = keysOf(document.value, use)
    if (!found.ok) return
    keys = found.value
    loadedAt = clock()
  }

  /** Loads once for everybody who waits; not again before the cool-down is over. */
  async function refresh(): Promise<void> {
    if (loading === undefined) {
      if (clock() - triedAt < (isUsable() ? COOL_DOWN_SECONDS : RETRY_SECONDS)) return
      triedAt = clock()
      loading = load().finally(() => {
        loading = undefined
      })
    }
    await loading
  }

  return {
    async find(kid, alg) {
      if (clock() - loadedAt > FRESH_SECONDS) await refresh()
      const known = isUsable() ? chooseKey(keys, kid, alg) : undefined
      if (known) return ok(known)
      await refresh()
      if (!isUsable()) return refuse('keys-unavailable', 'the key set of a pinned issuer could not be had')
      const key = chooseKey(keys, kid, alg)
      return key ? ok(key) : refuse('token-key-unknown')
    },
  }
}

/** Finds an issuer's key set through OpenID Connect discovery; the document must name exactly this issuer. */
export function discoverKeys(issuer: string, fetch: Fetch): () => Promise<Result<string, 'keys-unavailable'>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  return async () => {
    const document = await fetchDocument(fetch, address)
    if (!document.ok) return document
    const { issuer: named, jwks_uri: place } = document.value
    if (named !== issuer) return refuse('keys-unavailable', 'the discovery document names another issuer')
    if (typeof place !== 'string') return refuse('keys-unavailable', 'the discovery document names no key set')
    if (issuer.startsWith('https:') && !place.startsWith('https:')) {
      return refuse('keys-unavailable', 'the key set of an https issuer must be on https')
    }
    return ok(place)
  }
}
