import assert from 'node:assert/strict'
import { SWEEP_CLAIM_SECONDS, type UseRecord } from '@hallpass/core'
import type { Case } from './scene.ts'
import { JKT, SETTINGS, calls } from './scene.ts'

const LATER = SWEEP_CLAIM_SECONDS + 1
const events = (uses: readonly UseRecord[]): readonly string[] => uses.map(({ event }) => event).toSorted()

/** Rule 10: what a ledger has and a trail may lack is said until somebody says that it is on record. */
export const outboxCases: readonly Case[] = [
  {
    title: 'says of a running use all that its event tells, the one resource of a class too',
    async run(scene) {
      const grant = await scene.grant({ resource: 'order:*', limits: [calls(3)] })
      const plain = await scene.grant()
      const [event, other] = [scene.id('ev'), scene.id('ev')]
      const use = await scene.first(grant, { event, resource: 'order:7', outbox: true })
      const own = await scene.first(plain, { event: other })
      const { jti, txn, clientId, audience, action } = grant
      assert.deepEqual(await scene.ledger.use(use.reservation), {
        event,
        reservation: use.reservation,
        jti,
        txn,
        clientId,
        audience,
        action,
        resource: 'order:7',
        jkt: JKT,
        at: use.at,
        outbox: true,
        state: 'running',
      })
      const told = await scene.ledger.use(own.reservation)
      assert.deepEqual([told?.event, told?.resource, told?.outbox], [other, plain.resource, false])
      for (const unknown of ['res_x', '', `${use.reservation}x`, 'x.1'])
        assert.equal(await scene.ledger.use(unknown), undefined)
    },
  },
  {
    title: 'says of a use with a key, an amount or an agent’s limit the same',
    async run(scene) {
      const limits = [
        calls(5),
        { id: 'total', per: 'task', max: 100, parameter: 'amount', scale: 2 } as const,
        { id: 'day', per: 'agent', max: 5, window_seconds: 86_400 } as const,
      ]
      const grant = await scene.grant({ resource: 'order:*', limits })
      const use = await scene.first(grant, {
        resource: 'order:9',
        outbox: true,
        amounts: { amount: 3 },
        idempotency: { key: 'k', digest: 'd' },
      })
      const told = await scene.ledger.use(use.reservation)
      assert.deepEqual([told?.resource, told?.outbox, told?.state], ['order:9', true, 'running'])
    },
  },
  {
    title: 'says no more of a use than that it is over, once it is',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(3)] })
      const [settled, back, lapsed] = [
        await scene.first(grant, { outbox: true }),
        await scene.first(grant, { outbox: true }),
        await scene.first(grant, { outbox: true }),
      ]
      await scene.ledger.settle(settled.reservation, { status: 200 })
      await scene.ledger.giveBack(back.reservation, 'nothing done')
      await scene.advance(SETTINGS.leaseSeconds)
      const states = [settled, back, lapsed].map(
        async ({ reservation }) => (await scene.ledger.use(reservation))?.state,
      )
      const [done = 'done', released = 'released', unknown = 'unknown'] = await Promise.all(states)
      assert.deepEqual([done, released, unknown], ['done', 'released', 'unknown'])
    },
  },
  {
    title: 'hands a use without outcome out until it is acknowledged',
    async run(scene) {
      const grant = await scene.grant({ resource: 'order:*' })
      const { reservation, at } = await scene.first(grant, { event: 'ev_unknown', resource: 'order:7', outbox: true })
      await scene.advance(SETTINGS.leaseSeconds)
      const { unknownUses } = await scene.ledger.sweep()
      const { jti, txn, clientId, audience, action } = grant
      const record = {
        event: 'ev_unknown',
        reservation,
        jti,
        txn,
        clientId,
        audience,
        action,
        jkt: JKT,
        at,
        outbox: true,
      }
      assert.deepEqual(unknownUses, [{ ...record, resource: 'order:7' }])
      assert.deepEqual((await scene.ledger.sweep()).unknownUses, [])
      await scene.advance(LATER)
      const again = await scene.ledger.sweep()
      assert.deepEqual(again.unknownUses, unknownUses)
      await scene.ledger.acknowledge(again.receipt)
      await scene.ledger.acknowledge(again.receipt)
      await scene.advance(LATER)
      assert.deepEqual((await scene.ledger.sweep()).unknownUses, [])
    },
  },
  {
    title: 'hands an expired task and an unspent grant out until they are acknowledged',
    async run(scene) {
      const now = Math.floor(await scene.ledger.now())
      const task = await scene.openTask({ deadline: now + 100 })
      const grant = await scene.register(task, { exp: now + 50 })
      await scene.advance(101)
      const names = async () => {
        const { tasks, grants, receipt } = await scene.ledger.sweep()
        return { receipt, names: [...tasks.map(({ txn }) => txn), ...grants.map(({ jti }) => jti)] }
      }
      const first = await names()
      assert.deepEqual(first.names, [task.txn, grant.jti])
      assert.deepEqual((await names()).names, [])
      await scene.advance(LATER)
      const again = await names()
      assert.deepEqual(again.names, [task.txn, grant.jti])
      await scene.ledger.acknowledge(again.receipt)
      await scene.advance(LATER)
      assert.deepEqual((await names()).names, [])
    },
  },
  {
    title: 'tells of a use that came back when whoever was told may be gone, and only where it is asked to',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(3)], exp: Math.floor(await scene.ledger.now()) + 300 })
      const told = await scene.first(grant, { event: 'ev_back', outbox: true })
      const own = await scene.first(grant, { event: 'ev_own' })
      assert.equal(await scene.ledger.giveBack(told.reservation, 'nothing done'), true)
      assert.equal(await scene.ledger.giveBack(own.reservation, 'nothing done'), true)
      assert.deepEqual((await scene.ledger.sweep()).releasedUses, [])
      await scene.advance(LATER)
      const swept = await scene.ledger.sweep()
      assert.deepEqual(events(swept.releasedUses), ['ev_back'])
      assert.deepEqual(events(swept.unknownUses), [])
      await scene.ledger.acknowledge(swept.receipt)
      await scene.advance(LATER)
      assert.deepEqual((await scene.ledger.sweep()).releasedUses, [])
      assert.equal(await scene.usesLeft(grant), 3)
    },
  },
  {
    title: 'takes no receipt for what another sweep found, and none that is rubbish',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      await scene.first(grant, { event: 'ev_1' })
      await scene.advance(SETTINGS.leaseSeconds)
      const early = await scene.sweep()
      assert.deepEqual(events(early.unknownUses), ['ev_1'])
      await scene.first(grant, { event: 'ev_2' }).catch(() => undefined)
      const fresh = await scene.grant()
      await scene.first(fresh, { event: 'ev_3' })
      await scene.advance(SETTINGS.leaseSeconds)
      const late = await scene.ledger.sweep()
      await scene.ledger.acknowledge(early.receipt)
      for (const rubbish of ['', 'x', '{}', '[1]', 'null']) await scene.ledger.acknowledge(rubbish)
      await scene.advance(LATER)
      assert.deepEqual(events((await scene.ledger.sweep()).unknownUses), events(late.unknownUses))
    },
  },
]
