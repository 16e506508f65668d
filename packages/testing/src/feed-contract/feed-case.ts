import assert from 'node:assert/strict'
import type { FeedStage, Which } from './feed-stage.ts'
import type { HeldGrant } from './orders.ts'

/** One behaviour of the feed over a store. */
export interface FeedCase {
  readonly title: string
  /** Default: a message every 0.2 s. */
  readonly heartbeatSeconds?: number
  readonly run: (stage: FeedStage) => Promise<void>
}

/** A grant that will die, and one that will not. */
export async function twoGrants(stage: FeedStage, from?: Which): Promise<readonly [HeldGrant, HeldGrant]> {
  const [dead, alive] = await stage.grants(2, from)
  assert.ok(dead !== undefined && alive !== undefined)
  return [dead, alive]
}

export const kill = async (stage: FeedStage, at: Which, { jti }: HeldGrant): Promise<void> =>
  void (await stage.broker(at).revoke({ kind: 'grant', jti }, 'leaked'))

const LONGEST_WAIT_MS = 30_000

/** Fails when it does not come true. */
export async function wait(holds: () => boolean): Promise<void> {
  const end = performance.now() + LONGEST_WAIT_MS
  while (!holds()) {
    assert.ok(performance.now() < end, 'what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
