import assert from 'node:assert/strict'
import type { TokenSource, UseLedger } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import type { LocalIssuer } from '@hallpass/verifier'
import { createVerifier } from '@hallpass/verifier'
import type { FeedObservation, RevocationFeed } from '@hallpass/verifier/feed'
import { feed } from '@hallpass/verifier/feed'
import type { HeldGrant } from './orders.ts'
import { orders } from './orders.ts'

export interface FollowOptions {
  readonly maxStalenessSeconds?: number
}

/** Whom to follow, and by which credentials. */
export interface FollowedIssuer {
  readonly issuer: LocalIssuer
  readonly identity: TokenSource
  /** A fresh proof for one honest call. */
  readonly proofFor: (token: string) => string
}

export interface FeedVerifier {
  readonly feed: RevocationFeed
  readonly observed: readonly FeedObservation[]
  /** What it says to an honest call: `admitted`, or why not. Fails when it admits beyond its bound. */
  ask(grant: HeldGrant): Promise<string>
  /** Asks until it says so; fails when that takes too long. */
  until(grant: HeldGrant, answer: string): Promise<void>
}

const LONGEST_WAIT_MS = 30_000
const ASK_EVERY_MS = 10
const DEFAULT_BOUND_SECONDS = 3

export function followFeed({ issuer, identity, proofFor }: FollowedIssuer, options: FollowOptions): FeedVerifier {
  const { maxStalenessSeconds = DEFAULT_BOUND_SECONDS } = options
  const observed: FeedObservation[] = []
  const listening = feed({ identity, maxStalenessSeconds, observe: (observation) => void observed.push(observation) })
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger: admitting,
    audit: memoryTrail(),
    revocation: listening,
  })
  const ask = async ({ token }: HeldGrant): Promise<string> => {
    const headers = ['authorization', `DPoP ${token}`, 'dpop', proofFor(token)]
    const { stalenessSeconds: before } = listening.status()
    const verdict = await verifier.verify('order.read', { method: 'GET', target: '/orders/1', headers })
    const answer = verdict.kind === 'refused' ? verdict.reason : verdict.kind
    const { stalenessSeconds: after } = listening.status()
    // Unless it heard something meanwhile, which made it younger.
    if (answer === 'admitted' && after >= before) assert.ok(before <= maxStalenessSeconds)
    return answer
  }
  return {
    feed: listening,
    observed,
    ask,
    async until(grant, answer) {
      const end = performance.now() + LONGEST_WAIT_MS
      let said = await ask(grant)
      while (said !== answer && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
        said = await ask(grant)
      }
      assert.equal(said, answer)
    },
  }
}

/** A store of a verifier's own that never says no: what refuses here is the feed. */
const admitting: UseLedger = {
  exactFor: 'one-process',
  redeem: ({ event }) => ({
    ok: true,
    state: 'first',
    reservation: `res_${event}`,
    at: Date.now() / 1000,
    usesLeft: 9,
  }),
  settle: () => undefined,
  giveBack: () => false,
}
