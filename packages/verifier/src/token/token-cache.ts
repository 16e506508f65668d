import { LRUCache } from 'lru-cache'
import type { GenuineToken } from './genuine-token.ts'

/** Enough of a signature to spread over the map: half of an ES256 signature, about 258 bits. */
const TAIL_LENGTH = 43

/** Remembers which whole tokens were found genuine. It is never asked about revocation, uses or replay. */
export interface TokenCache {
  get(token: string): GenuineToken | undefined
  set(found: GenuineToken): void
}

/**
 * Creates a cache of at most `entries` tokens, keyed on the tail of the signature and compared as a whole, so that no
 * part of a token goes unlooked at. Holds successes only; an entry is dropped once its signing key has left the
 * issuer's key set.
 */
export function createTokenCache(entries: number): TokenCache {
  const cache = new LRUCache<string, GenuineToken>({ max: entries })
  return {
    get(token) {
      const tail = token.slice(-TAIL_LENGTH)
      const found = cache.get(tail)
      if (found === undefined || found.token !== token) return undefined
      if (found.key.live) return found
      cache.delete(tail)
      return undefined
    },
    set(found) {
      cache.set(found.token.slice(-TAIL_LENGTH), found)
    },
  }
}
