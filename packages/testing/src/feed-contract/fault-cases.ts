import assert from 'node:assert/strict'
import type { FeedCase } from './feed-case.ts'
import { kill, twoGrants } from './feed-case.ts'
import type { FeedFault, FeedStage } from './feed-stage.ts'
import { FIRST, SECOND } from './feed-stage.ts'

/** What a store is expected to survive. */
export interface FaultWanted {
  readonly name: string
  /**
   * What it does: `second`: the second broker does not reach the store. `both`: nobody does. `loses`: afterwards the store
   * is another life, which does not answer for what was before.
   */
  readonly hits: 'second' | 'both' | 'loses'
}

function faultOf({ stores }: FeedStage, name: string): FeedFault {
  const fault = stores.faults?.[name]
  assert.ok(fault !== undefined, `the store has no fault ${name}`)
  return fault
}

const BOUND_SECONDS = 1

/** A broker that does not reach the log says nothing, and its verifiers know how old their knowledge is. */
const cutCase = (name: string, hitsBoth: boolean): FeedCase => ({
  title: `${name}: verifiers refuse beyond their bound, and afterwards nothing is missed`,
  async run(stage) {
    const [dead, alive] = await twoGrants(stage)
    const last = await twoGrants(stage)
    const verifier = await stage.serving({ maxStalenessSeconds: BOUND_SECONDS })
    await verifier.until(dead, 'admitted')
    const fault = faultOf(stage, name)
    await fault.begin()
    const killing = hitsBoth ? undefined : kill(stage, FIRST, dead)
    await verifier.until(alive, 'status-stale')
    const { state, stalenessSeconds } = verifier.feed.status()
    assert.ok(state === 'stale' && stalenessSeconds > BOUND_SECONDS)
    assert.notEqual(await verifier.ask(dead), 'admitted')
    await killing
    await fault.end()
    if (hitsBoth) await atLast(() => kill(stage, FIRST, dead))
    await verifier.until(dead, 'grant-revoked')
    await verifier.until(alive, 'admitted')
    await atLast(() => kill(stage, SECOND, last[0]))
    await verifier.until(last[0], 'grant-revoked')
    await kill(stage, FIRST, last[1])
    await verifier.until(last[1], 'grant-revoked')
    await verifier.until(alive, 'admitted')
  },
})

/** What the new life cannot know is not good, for verifiers that were there before and for those that come. */
const lossCase = (name: string): FeedCase => ({
  title: `${name}: nothing from before is good any more, and what is new is followed`,
  async run(stage) {
    const [dead, alive] = await twoGrants(stage)
    const verifier = await stage.serving()
    await kill(stage, FIRST, dead)
    await verifier.until(dead, 'grant-revoked')
    await verifier.until(alive, 'admitted')
    const fault = faultOf(stage, name)
    await fault.begin()
    await fault.end()
    await verifier.until(alive, 'incarnation-mismatch')
    assert.equal(await verifier.ask(dead), 'grant-revoked')
    const late = await stage.serving()
    for (const grant of [dead, alive]) assert.notEqual(await late.ask(grant), 'admitted')
    const [fresh, other] = await atLast(() => twoGrants(stage))
    for (const each of [verifier, late]) await each.until(fresh, 'admitted')
    await kill(stage, FIRST, fresh)
    for (const each of [verifier, late]) {
      await each.until(fresh, 'grant-revoked')
      await each.until(other, 'admitted')
      assert.notEqual(await each.ask(alive), 'admitted')
    }
  },
})

export const faultCase = ({ name, hits }: FaultWanted): FeedCase =>
  hits === 'loses' ? lossCase(name) : cutCase(name, hits === 'both')

const LONGEST_MS = 30_000

/** Until the store takes it: a revocation whose answer was lost is asked for again, and that is safe. */
async function atLast<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + LONGEST_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
