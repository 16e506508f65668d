import type { ProofKey, ProofKeyCache } from '@hallpass/core'
import { LRUCache } from 'lru-cache'

/**
 * Remembers the imported keys of at most `entries` holders by raw proof header segment: importing a key costs as much
 * as a signature. It is only ever given keys whose proof verified, so strangers cannot fill it.
 */
export function createHolderKeys(entries: number): ProofKeyCache {
  const cache = new LRUCache<string, ProofKey>({ max: entries })
  return {
    get: (headerSegment) => cache.get(headerSegment),
    set: (headerSegment, key) => void cache.set(headerSegment, key),
  }
}
