import type { ProofKey, ProofKeyCache } from '@hallpass/core'

const MAX_KEYS = 4096

/** Holders' keys that verified a proof before; the one unseen for longest goes first. */
export function createProofKeys(): ProofKeyCache {
  const keys = new Map<string, ProofKey>()
  return {
    get: (header) => keys.get(header),
    set(header, key) {
      const [oldest] = keys.size >= MAX_KEYS ? keys.keys() : []
      if (oldest !== undefined) keys.delete(oldest)
      keys.set(header, key)
    },
  }
}
