import assert from 'node:assert/strict'
import type { RevocationTarget } from '@hallpass/core'
import { TEST_AGENT } from '../world/permit-everything.ts'
import type { FeedCase } from './feed-case.ts'
import { kill, twoGrants, wait } from './feed-case.ts'
import { FIRST, SECOND } from './feed-stage.ts'
import type { HeldGrant } from './orders.ts'
import { AUDIENCE, OWNER, VERSION } from './orders.ts'

const narrow: Readonly<Record<string, (grant: HeldGrant) => RevocationTarget>> = {
  grant: ({ jti }) => ({ kind: 'grant', jti }),
  task: ({ txn }) => ({ kind: 'task', txn }),
}
const wide: Readonly<Record<string, RevocationTarget>> = {
  agent: { kind: 'agent', clientId: TEST_AGENT },
  owner: { kind: 'owner', owner: OWNER },
  action: { kind: 'action', audience: AUDIENCE, action: 'order.read' },
  'policy version': { kind: 'policy-version', version: VERSION },
  'everything there is': { kind: 'everything' },
}

/** What one broker kills, the verifiers of another refuse. */
export const reachCases: readonly FeedCase[] = [
  ...Object.entries(narrow).map(
    ([what, target]) =>
      ({
        title: `a revoked ${what}, and nothing else`,
        async run(stage) {
          const [dead, alive] = await twoGrants(stage)
          const verifiers = [await stage.serving(), await stage.serving()]
          for (const verifier of verifiers) await verifier.until(dead, 'admitted')
          await stage.broker(FIRST).revoke(target(dead), 'leaked')
          for (const verifier of verifiers) {
            await verifier.until(dead, 'grant-revoked')
            await verifier.until(alive, 'admitted')
          }
        },
      }) satisfies FeedCase,
  ),
  ...Object.entries(wide).map(
    ([what, target]) =>
      ({
        title: `a revoked ${what}`,
        async run(stage) {
          const grants = await twoGrants(stage, SECOND)
          const verifier = await stage.serving()
          for (const grant of grants) await verifier.until(grant, 'admitted')
          await stage.broker(FIRST).revoke(target, 'incident')
          for (const grant of grants) await verifier.until(grant, 'grant-revoked')
        },
      }) satisfies FeedCase,
  ),
  {
    title: 'a task that its agent ended',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      const verifier = await stage.serving()
      await verifier.until(dead, 'admitted')
      await stage.endTaskOf(dead, FIRST)
      await verifier.until(dead, 'grant-revoked')
      await verifier.until(alive, 'admitted')
    },
  },
  {
    title: 'the kill switch, lifted again at the other broker: what it killed stays dead',
    async run(stage) {
      const [dead] = await twoGrants(stage)
      const verifier = await stage.serving()
      await verifier.until(dead, 'admitted')
      await stage.broker(FIRST).revoke({ kind: 'everything' }, 'incident')
      await verifier.until(dead, 'grant-revoked')
      assert.equal(await stage.broker(SECOND).resume({ kind: 'everything' }, 'over'), true)
      const late = await stage.serving()
      await late.until(dead, 'grant-revoked')
      assert.equal(await verifier.ask(dead), 'grant-revoked')
    },
  },
  {
    title: 'what was revoked before the verifier came',
    async run(stage) {
      const [dead, alive] = await twoGrants(stage)
      await kill(stage, FIRST, dead)
      const verifier = await stage.serving()
      assert.equal(await verifier.ask(dead), 'grant-revoked')
      await verifier.until(alive, 'admitted')
    },
  },
  {
    title: 'more grants at once than one message carries',
    async run(stage) {
      const [alive] = await twoGrants(stage)
      const verifier = await stage.serving()
      const grants = await stage.grants(40)
      await Promise.all(grants.map((grant, n) => kill(stage, n % 2 === 0 ? FIRST : SECOND, grant)))
      for (const grant of grants) await verifier.until(grant, 'grant-revoked')
      await verifier.until(alive, 'admitted')
    },
  },
]

/** The store says by itself that there is more: what arrives does not wait for a heartbeat. */
export const wakeCases: readonly FeedCase[] = [
  {
    title: 'a wake of the store tells the other broker',
    heartbeatSeconds: 60,
    async run(stage) {
      const [alive] = await twoGrants(stage)
      const verifier = await stage.serving({ maxStalenessSeconds: 3600 })
      let wakes = 0
      const end = stage.stores.ledgers[SECOND].watch?.(() => (wakes += 1))
      assert.ok(end !== undefined, 'the store has no watch()')
      // One may come for beginning to listen.
      for (const dead of await stage.grants(3)) {
        const before = wakes
        await kill(stage, FIRST, dead)
        await verifier.until(dead, 'grant-revoked')
        await wait(() => wakes > before)
      }
      end()
      await verifier.until(alive, 'admitted')
    },
  },
]
