import type { RefusalReason } from '@hallpass/core'
import { LRUCache } from 'lru-cache'
import type { Attempt } from '../flow/attempt.ts'

/**
 * What a refused request had shown of itself. `fresh`: a proof by the grant's key that was not refused before.
 * `token`: a genuine token and no such proof, so whoever copied it. `nothing`: anybody, or more of the former than are
 * written one by one.
 */
export type Standing = 'fresh' | 'token' | 'nothing'

/** Refusals of genuine tokens without a fresh proof that get an event of their own in one window. */
const TOKENS_PER_WINDOW = 100
/** Refused proofs remembered. Forgetting one lets a copy of it count once more, nothing else. */
const MAX_PROOFS = 10_000

/**
 * Tells them apart, so that neither a copied token nor a captured request can flood the trail, or count against its
 * agent: triggers look only at what names the key.
 */
export function createRefusalStanding(windowSeconds: number): (attempt: Attempt, reason: RefusalReason) => Standing {
  const proofs = new LRUCache<string, true>({ max: MAX_PROOFS })
  let windowEnd = Number.NEGATIVE_INFINITY
  let left = 0

  const isFresh = ({ proof }: Attempt, reason: RefusalReason): boolean => {
    if (proof === undefined || reason === 'proof-replayed') return false
    const name = `${proof.jkt} ${proof.jti}`
    if (proofs.has(name)) return false
    proofs.set(name, true)
    return true
  }

  return (attempt, reason) => {
    if (attempt.token === undefined) return 'nothing'
    if (isFresh(attempt, reason)) return 'fresh'
    if (attempt.now >= windowEnd) {
      windowEnd = attempt.now + windowSeconds
      left = TOKENS_PER_WINDOW
    }
    left -= 1
    return left >= 0 ? 'token' : 'nothing'
  }
}
