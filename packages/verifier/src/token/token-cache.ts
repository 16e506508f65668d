import { LRUCache } from 'lru-cache'
import type { GenuineToken } from './genuine-token.ts'

/** Enough of a signature to spread over the map: half of an ES256 signature, about 258 bits. */
const TAIL_LENGTH = 43

/** Tokens at hand before the map is asked: those in use right now. A power of two. */
const AT_HAND = 1024

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
  // Cutting a tail off, hashing it and moving its entry up costs more than everything else about a token that was seen.
  const atHand: (GenuineToken | undefined)[] = Array.from({ length: Math.min(AT_HAND, powerOfTwo(entries)) })
  const placeOf = (token: string): number => hashOfEnd(token) & (atHand.length - 1)
  const find = (token: string): GenuineToken | undefined => {
    const tail = token.slice(-TAIL_LENGTH)
    const found = cache.get(tail)
    if (found === undefined || found.token !== token) return undefined
    if (found.key.live) return found
    cache.delete(tail)
    return undefined
  }
  return {
    get(token) {
      const place = placeOf(token)
      const known = atHand[place]
      if (known !== undefined && known.token === token && known.key.live) return known
      const found = find(token)
      atHand[place] = found ?? (known?.key.live === true ? known : undefined)
      return found
    },
    set(found) {
      cache.set(found.token.slice(-TAIL_LENGTH), found)
    },
  }
}

const powerOfTwo = (most: number): number => 2 ** Math.floor(Math.log2(Math.max(1, most)))

/** Only says where to look: what is found there is compared as a whole. */
function hashOfEnd(token: string): number {
  const end = token.length
  let hash = 0
  for (let at = end - 8; at < end; at++) hash = (Math.imul(hash, 31) + token.charCodeAt(at)) | 0
  return hash
}
