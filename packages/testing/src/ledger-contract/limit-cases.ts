import assert from 'node:assert/strict'
import type { GrantRecord, Limit } from '@hallpass/core'
import type { Case } from './scene.ts'
import { assertRefused, calls } from './scene.ts'

const total = (max: number, per: Limit['per'] = 'grant'): Limit => ({
  id: 'total:refund.create:amount',
  per,
  max,
  parameter: 'amount',
  scale: 2,
  unit: 'EUR',
  ...(per === 'agent' ? { window_seconds: 60 } : {}),
})

const MAX = Number.MAX_SAFE_INTEGER
const badAmounts: readonly [string, unknown][] = [
  ['missing', undefined],
  ['negative', -1],
  ['not whole', 0.5],
  ['not a number', Number.NaN],
  ['infinite', Number.POSITIVE_INFINITY],
  ['beyond 2^53 - 1', MAX + 1],
  ['a text', '5'],
  ['null', null],
]

const badLimits: readonly [string, readonly Limit[]][] = [
  ['no cap on its own calls', [total(5)]],
  ['nothing at all', []],
  ['a negative cap', [calls(-1)]],
  ['a cap that is not whole', [calls(1.5)]],
  ['a cap beyond 2^53 - 1', [calls(MAX + 1)]],
  ['no number as a cap', [calls(Number.NaN)]],
  ['one limit twice', [calls(1), calls(2)]],
  ['an agent limit without a window', [calls(1), { id: 'day', per: 'agent', max: 5 }]],
  ['a window of no length', [calls(1), { id: 'day', per: 'agent', max: 5, window_seconds: 0 }]],
  ['a scope nobody counts', [calls(1), { id: 'x', per: 'team' as 'task', max: 5 }]],
  ['one parameter in two scales', [calls(1), total(5), { ...total(5, 'task'), id: 'other', scale: 3 }]],
]

export const limitCases: readonly Case[] = [
  {
    title: 'adds up totals exactly and refuses what passes them',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(9), total(100)] })
      await scene.first(grant, { amounts: { amount: 60 } })
      const over = await scene.redeem(grant, { amounts: { amount: 41 } })
      assertRefused(over, 'limit-exceeded')
      assert.equal(over.ok || over.limit, 'total:refund.create:amount')
      await scene.first(grant, { amounts: { amount: 40 } })
      await scene.first(grant, { amounts: { amount: 0 } })
      await scene.refused(grant, 'limit-exceeded', { amounts: { amount: 1 } })
    },
  },
  {
    title: 'charges nothing at all when one of several limits refuses',
    async run(scene) {
      const task = await scene.openTask()
      const limits = [calls(5), { id: 'task-calls', per: 'task', max: 5 } as const, total(100, 'task'), total(10)]
      const grant = await scene.register(task, { limits })
      await scene.refused(grant, 'limit-exceeded', { amounts: { amount: 11 } })
      assert.equal(await scene.usesLeft(grant), 5)
      assert.deepEqual((await scene.ledger.task(task.txn))?.spent, { 'task-calls': 0, 'total:refund.create:amount': 0 })
      assert.deepEqual((await scene.ledger.task(task.txn))?.uses, {})
    },
  },
  ...badAmounts.map(([what, amount]): Case => ({
    title: `refuses an amount that is ${what}`,
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(5), total(MAX)] })
      await scene.refused(grant, 'amount-invalid', { amounts: amount === undefined ? {} : ({ amount } as never) })
      assert.equal(await scene.usesLeft(grant), 5)
    },
  })),
  {
    title: 'refuses a sum beyond 2^53 - 1',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(5), total(MAX)] })
      await scene.first(grant, { amounts: { amount: MAX } })
      await scene.refused(grant, 'limit-exceeded', { amounts: { amount: 1 } })
      await scene.refused(grant, 'limit-exceeded', { amounts: { amount: MAX } })
    },
  },
  {
    title: 'shares a task limit between the grants that name it, each with its own cap',
    async run(scene) {
      const task = await scene.openTask()
      const limit = (max: number) => ({ limits: [calls(5), { id: 'task-calls', per: 'task' as const, max }] })
      const [narrow, wide] = [await scene.register(task, limit(2)), await scene.register(task, limit(3))]
      await scene.first(narrow)
      await scene.first(wide)
      await scene.refused(narrow, 'limit-exceeded')
      await scene.first(wide)
      await scene.refused(wide, 'limit-exceeded')
      assert.equal((await scene.ledger.task(task.txn))?.spent['task-calls'], 3)
    },
  },
  {
    title: 'keeps an agent limit across its tasks, and apart from other agents',
    async run(scene) {
      const limits = [calls(9), { id: 'minute', per: 'agent' as const, max: 2, window_seconds: 60 }]
      const one = await scene.register(await scene.openTask(), { limits })
      const two = await scene.register(await scene.openTask(), { limits })
      const other = await scene.register(await scene.openTask({ clientId: 'other-bot' }), { limits })
      await scene.first(one)
      await scene.ledger.endTask(one.txn, 'completed')
      await scene.first(two)
      await scene.refused(two, 'limit-exceeded')
      await scene.refused(await scene.register(await scene.openTask(), { limits }), 'limit-exceeded')
      await scene.first(other)
    },
  },
  {
    title: 'starts an agent limit anew with the next fixed window, and only then',
    async run(scene) {
      // To the start of a window, so that the steps below are inside of one and the next.
      await scene.advance(100 - ((await scene.ledger.now()) % 100))
      const limits = [calls(9), { id: 'window', per: 'agent' as const, max: 1, window_seconds: 100 }]
      const task = await scene.openTask()
      await scene.first(await scene.register(task, { limits }))
      await scene.advance(99)
      await scene.refused(await scene.register(task, { limits }), 'limit-exceeded')
      await scene.advance(1)
      const grant = await scene.register(task, { limits })
      const { reservation } = await scene.first(grant)
      await scene.refused(grant, 'limit-exceeded')
      assert.equal(await scene.ledger.giveBack(reservation, 'nothing done'), true)
      await scene.first(grant)
    },
  },
  {
    title: 'gives nothing of a window that is over to the next one',
    async run(scene) {
      await scene.advance(100 - ((await scene.ledger.now()) % 100) + 95)
      const limits = [calls(9), { id: 'window', per: 'agent' as const, max: 1, window_seconds: 100 }]
      const grant = await scene.grant({ limits })
      const { reservation } = await scene.first(grant)
      await scene.advance(10)
      await scene.first(grant)
      assert.equal(await scene.ledger.giveBack(reservation, 'nothing done'), true)
      await scene.refused(grant, 'limit-exceeded')
    },
  },
  ...badLimits.map(([what, limits]): Case => ({
    title: `registers no grant with ${what}`,
    async run(scene) {
      const task = await scene.openTask()
      const answer = await scene.ledger.registerGrant(await scene.grantRecord(task, { limits }))
      assertRefused(answer, 'details-invalid')
    },
  })),
  {
    title: 'registers no grant whose limit has the name of one in another unit',
    async run(scene) {
      const task = await scene.openTask()
      await scene.register(task, { limits: [calls(1), total(5, 'task')] })
      for (const change of [{ unit: 'USD' }, { scale: 3 }, { parameter: 'fee' }]) {
        const limits = [calls(1), { ...total(5, 'task'), ...change }]
        assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, { limits })), 'details-invalid')
      }
    },
  },
  {
    title: 'charges task and agent at issue, for every use, and gives none of it back',
    async run(scene) {
      const task = await scene.openTask()
      const charge = (uses: number): Partial<GrantRecord> => ({
        limits: [calls(uses)],
        chargeAtIssue: { limits: [total(100, 'task'), total(1000, 'agent')], amounts: { amount: 30 }, uses },
      })
      const grant = await scene.register(task, charge(2))
      assert.deepEqual((await scene.ledger.task(task.txn))?.spent, { 'total:refund.create:amount': 60 })
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, charge(2))), 'limit-exceeded')
      await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'not needed')
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, charge(2))), 'limit-exceeded')
      await scene.register(task, charge(1))
      assert.equal((await scene.ledger.task(task.txn))?.grantsIssued, 2)
    },
  },
  {
    title: 'charges nothing at issue for what cannot be charged',
    async run(scene) {
      const task = await scene.openTask()
      const limits = [total(100, 'task')]
      const refusals = [
        [{ limits, amounts: {}, uses: 1 }, 'amount-invalid'],
        [{ limits, amounts: { amount: MAX }, uses: 2 }, 'amount-invalid'],
        [{ limits, amounts: { amount: 1 }, uses: 0 }, 'details-invalid'],
        [{ limits, amounts: { amount: 1 }, uses: -5 }, 'details-invalid'],
        [{ limits: [calls(5)], amounts: {}, uses: 1 }, 'details-invalid'],
      ] as const
      for (const [chargeAtIssue, reason] of refusals) {
        assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, { chargeAtIssue })), reason)
      }
      assert.equal((await scene.ledger.task(task.txn))?.grantsIssued, 0)
    },
  },
]
