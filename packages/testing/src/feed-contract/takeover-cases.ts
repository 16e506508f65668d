import assert from 'node:assert/strict'
import type { FeedCase } from './feed-case.ts'
import { kill, twoGrants } from './feed-case.ts'
import { FIRST, SECOND } from './feed-stage.ts'

/** Brokers that go and come, and verifiers that go on. */
export const takeoverCases: readonly FeedCase[] = [
  {
    title: 'a broker that starts again: its verifiers go on from where they were, and miss nothing of between',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const verifier = await stage.serving()
      await verifier.until(dead, 'admitted')
      await stage.endBroker(SECOND)
      await kill(stage, FIRST, dead)
      stage.startBroker(SECOND)
      await verifier.until(dead, 'grant-revoked')
      await verifier.until(alive, 'admitted')
      assert.equal(stage.resumes[0], null)
      assert.match(stage.resumes.at(-1) ?? '', /^[\w-]+$/)
      assert.ok(verifier.observed.every(({ outcome }) => outcome === undefined || outcome === 'applied'))
    },
  },
  {
    title: 'a broker that takes over for another: places are good at both',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const verifier = await stage.serving()
      await verifier.until(dead, 'admitted')
      await stage.endBroker(SECOND)
      await kill(stage, FIRST, dead)
      stage.reached = FIRST
      await verifier.until(dead, 'grant-revoked')
      await verifier.until(alive, 'admitted')
      await kill(stage, FIRST, alive)
      await verifier.until(alive, 'grant-revoked')
      assert.ok(verifier.observed.every(({ outcome }) => outcome === undefined || outcome === 'applied'))
    },
  },
  {
    title: 'no broker at all: refused beyond the bound, and what is dead stays dead',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const verifier = await stage.serving({ maxStalenessSeconds: 1 })
      await kill(stage, FIRST, dead)
      await verifier.until(dead, 'grant-revoked')
      await stage.endBroker(SECOND)
      await verifier.until(alive, 'status-stale')
      assert.equal(await verifier.ask(dead), 'grant-revoked')
      stage.startBroker(SECOND)
      await verifier.until(alive, 'admitted')
      assert.equal(await verifier.ask(dead), 'grant-revoked')
    },
  },
]
