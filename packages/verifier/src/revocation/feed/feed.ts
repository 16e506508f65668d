import type { RefusalReason, TokenSource } from '@hallpass/core'
import { HallpassError, statusListsOf } from '@hallpass/core'
import { createBrokerLink } from '../../broker-ledger/broker-link.ts'
import type { RevocationContext, RevocationSource } from '../source.ts'
import type { Applied } from './feed-state.ts'
import { FeedState } from './feed-state.ts'
import { createListener } from './listener.ts'
import { liveFeed } from './live-feed.ts'

/** Something that happened to the feed, for metrics and logs. */
export interface FeedObservation {
  /** `message`: one was taken or not, see `outcome`. */
  readonly kind: 'connected' | 'disconnected' | 'message'
  /** Why a message was not taken: its place, or what is wrong with it. */
  readonly outcome?: Applied | RefusalReason
  readonly stalenessSeconds: number
}

export interface FeedOptions {
  /** How this API proves to the broker who it is. */
  readonly identity: TokenSource
  /** Bound on how late a revocation arrives, from the signed time of the last message on: older knowledge refuses. */
  readonly maxStalenessSeconds: number
  /** `status-list`: where the feed is too old, the broker's signed status list is asked, under the same bound. */
  readonly fallback?: 'status-list'
  /** Told what happens to the feed. What it throws is dropped. */
  readonly observe?: (observation: FeedObservation) => void
  /** How long the broker may take to answer, default 5000 ms. */
  readonly timeoutMs?: number
}

export interface FeedStatus {
  /** `starting` until everything was known once; `stale` refuses, or falls back. */
  readonly state: 'starting' | 'live' | 'stale' | 'closed'
  /** Seconds since everything was known; infinity while starting. */
  readonly stalenessSeconds: number
  readonly connected: boolean
  /** Status lists with a dead grant in them, and the bytes that they take. */
  readonly lists: number
  readonly bytes: number
}

/** The broker's revocation feed, as one verifier follows it. */
export interface RevocationFeed extends RevocationSource {
  /** For a gauge and for readiness. */
  status(): FeedStatus
  /** Resolves when everything is known for the first time: serve from then on. */
  ready(): Promise<void>
  /** Lets go of the broker. What is known grows old, and then refuses. */
  close(): void
}

/**
 * Follows the broker's signed revocation feed, for a verifier whose ledger is its own.
 *
 * A revocation arrives as fast as the network carries it. Where messages are missed, late, forged or rolled back, the
 * verifier notices and asks again; where it cannot, its knowledge ages and refuses with 503 beyond `maxStalenessSeconds`.
 * @throws HallpassError `configuration-invalid` without an identity or a positive bound.
 */
export function feed(options: FeedOptions): RevocationFeed {
  const { identity, maxStalenessSeconds, fallback, timeoutMs = 5000, observe } = options
  if (typeof identity?.assertion !== 'function')
    throw invalid('identity is how this API proves to the broker who it is')
  if (!(maxStalenessSeconds > 0 && maxStalenessSeconds < Number.POSITIVE_INFINITY)) {
    throw invalid('maxStalenessSeconds is a positive number')
  }
  if (fallback !== undefined && fallback !== 'status-list') throw invalid("fallback is 'status-list' or left out")

  let following: { readonly state: FeedState; readonly context: RevocationContext } | undefined
  let connected = false
  let closed = false
  let end: () => void = () => undefined
  let known: () => void = () => undefined
  const ready = new Promise<void>((resolve) => (known = resolve))

  const staleness = () => following?.state.staleness(following.context.clock()) ?? Number.POSITIVE_INFINITY
  const tell = (observation: Omit<FeedObservation, 'stalenessSeconds'>) => {
    try {
      observe?.({ ...observation, stalenessSeconds: staleness() })
    } catch {
      // Whoever observes has to look after that.
    }
  }

  return {
    start(context) {
      if (following !== undefined) throw invalid('a feed is for one verifier; make another one')
      const { issuer, fetch, clock, skewSeconds } = context
      const state = new FeedState({ skewSeconds, listsOf: (incarnation) => statusListsOf(issuer, incarnation) })
      following = { state, context }
      const link = createBrokerLink({ issuer, identity, fetch, timeoutMs, clock })
      const listener = createListener({
        context,
        state,
        open: async (request) => link.open('/events', request),
        maxStalenessSeconds,
        onConnection(isOpen) {
          connected = isOpen
          tell({ kind: isOpen ? 'connected' : 'disconnected' })
        },
        onMessage(outcome) {
          if (state.asOf > Number.NEGATIVE_INFINITY) known()
          tell({ kind: 'message', outcome })
        },
      })
      const of = { 'hallpass.audience': context.audience, 'hallpass.source': 'feed' } as const
      const stopTelling = context.telemetry?.gauge('hallpass.revocation.staleness', of, staleness)
      end = () => {
        stopTelling?.()
        listener.close()
      }
      if (!closed) listener.start()
      return liveFeed({
        state,
        maxStalenessSeconds,
        fallback: fallback === undefined ? undefined : context.statusList(maxStalenessSeconds),
      })
    },
    status() {
      const stalenessSeconds = staleness()
      const fresh = stalenessSeconds <= maxStalenessSeconds ? 'live' : 'stale'
      const open = stalenessSeconds === Number.POSITIVE_INFINITY ? 'starting' : fresh
      const { lists = 0, bytes = 0 } = following?.state ?? {}
      return { state: closed ? 'closed' : open, stalenessSeconds, connected, lists, bytes }
    },
    ready: () => ready,
    close() {
      closed = true
      end()
    },
  }
}

const invalid = (problem: string) => new HallpassError('configuration-invalid', `feed: ${problem}`)
