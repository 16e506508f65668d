import type { RefusalReason, Refused } from '@hallpass/core'
import { refuse } from '@hallpass/core'
import type { Step } from '../../flow/attempt.ts'
import { OUT_OF_ORDER } from '../../flow/attempt.ts'
import type { FeedState } from './feed-state.ts'

const REVOKED: Refused<RefusalReason> = refuse('grant-revoked', 'The revocation feed says so')
const STALE: Refused<RefusalReason> = refuse('status-stale', 'The revocation feed is not fresh enough')
const FORMER: Refused<RefusalReason> = refuse('incarnation-mismatch', 'It is from a former life of the ledger')

export interface LiveFeedRules {
  readonly state: FeedState
  readonly maxStalenessSeconds: number
  /** Asked where the feed is too old, or about another life of the ledger. */
  readonly fallback: Step | undefined
}

/**
 * The grant is not among what the issuer's signed feed calls dead, and the feed is about the life of the ledger that the
 * grant was issued in, and fresh enough to know.
 */
export const liveFeed =
  ({ state, maxStalenessSeconds, fallback }: LiveFeedRules): Step =>
  (attempt) => {
    const { token, now } = attempt
    if (token === undefined) return OUT_OF_ORDER
    const { status, iat } = token.claims
    const { uri, idx } = status.status_list
    // Dead is dead, however old the news.
    if (state.isDead({ iat, uri, idx })) return REVOKED
    const life = state.lifeOf(uri)
    if (life === 'left') return FORMER
    if (life === 'followed' && state.staleness(now) <= maxStalenessSeconds) return undefined
    return fallback === undefined ? STALE : fallback(attempt)
  }
