import assert from 'node:assert/strict'
import type { GrantRecord, RefusalReason, TaskRecord } from '@hallpass/core'
import type { Case, Scene } from './scene.ts'
import { assertRefused, calls } from './scene.ts'

type Times = (now: number) => Partial<GrantRecord>

const badGrants: readonly [string, Times | Partial<GrantRecord>, RefusalReason][] = [
  ['of another life of the ledger', { incarnation: 'another' }, 'incarnation-mismatch'],
  ['in a task nobody opened', { txn: 'tsk_unknown' }, 'task-unknown'],
  ['for another agent', { clientId: 'other-bot' }, 'request-invalid'],
  ['for another owner', { owner: 'team:other' }, 'request-invalid'],
  ['that is over', (now) => ({ iat: now - 60, exp: now }), 'token-expired'],
  ['without an end', { exp: Number.NaN }, 'token-expired'],
  ['from the future', (now) => ({ iat: now + 60, exp: now + 90 }), 'not-yet-valid'],
  ['past the deadline', (now) => ({ iat: now, exp: now + 601 }), 'lifetime-exceeded'],
  ['longer than the longest TTL', (now) => ({ iat: now - 880, exp: now + 30 }), 'lifetime-exceeded'],
]

const badTasks: readonly [string, (now: number) => Partial<TaskRecord>, RefusalReason][] = [
  ['of another life of the ledger', () => ({ incarnation: 'another' }), 'incarnation-mismatch'],
  ['that is over', (now) => ({ deadline: now }), 'task-expired'],
  ['without a deadline', () => ({ deadline: Number.NaN }), 'task-expired'],
  ['longer than a day', (now) => ({ deadline: now + 86_402 }), 'lifetime-exceeded'],
  ['that never ends', () => ({ deadline: Number.POSITIVE_INFINITY }), 'lifetime-exceeded'],
]

async function open(scene: Scene, changes: Partial<TaskRecord>, maxOpenTasks = 4) {
  return scene.ledger.openTask(await scene.taskRecord(changes), { maxOpenTasks })
}

export const taskCases: readonly Case[] = [
  ...badTasks.map(([what, changes, reason]): Case => ({
    title: `opens no task ${what}`,
    async run(scene) {
      assertRefused(await open(scene, changes(Math.floor(await scene.ledger.now()))), reason)
    },
  })),
  ...badGrants.map(([what, changes, reason]): Case => ({
    title: `registers no grant ${what}`,
    async run(scene) {
      const task = await scene.openTask()
      const change = typeof changes === 'function' ? changes(Math.floor(await scene.ledger.now())) : changes
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, change)), reason)
      assert.equal((await scene.ledger.task(task.txn))?.grantsIssued, 0)
    },
  })),
  {
    title: 'takes each task id and each grant id once',
    async run(scene) {
      const task = await scene.openTask()
      assertRefused(await open(scene, { txn: task.txn }), 'request-invalid')
      const { jti } = await scene.register(task)
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task, { jti })), 'request-invalid')
    },
  },
  {
    title: 'gives back what it was told',
    async run(scene) {
      const task = await scene.openTask({ note: '#9917', ceiling: { actions: ['refund.create'] } })
      assert.deepEqual(await scene.ledger.task(task.txn), {
        ...task,
        grantsIssued: 0,
        uses: {},
        spent: {},
        refusals: 0,
      })
      const grant = await scene.register(task, { limits: [calls(3)] })
      assert.deepEqual(await scene.ledger.grant(grant.jti), { ...grant, usesLeft: 3 })
      assert.equal(await scene.ledger.task('tsk_unknown'), undefined)
      assert.equal(await scene.ledger.grant('gr_unknown'), undefined)
    },
  },
  {
    title: 'bounds what an agent has open, counts per agent, and frees a place with each end',
    async run(scene) {
      const first = await scene.openTask({}, 2)
      await scene.openTask({}, 2)
      assertRefused(await open(scene, {}, 2), 'too-many-open-tasks')
      assertRefused(await open(scene, {}, Number.NaN), 'too-many-open-tasks')
      await scene.openTask({ clientId: 'other-bot' }, 2)
      await scene.ledger.endTask(first.txn, 'completed')
      await scene.openTask({}, 2)
      assertRefused(await open(scene, {}, 2), 'too-many-open-tasks')
    },
  },
  {
    title: 'frees a place when a deadline passes, without anybody saying so',
    async run(scene) {
      const deadline = Math.floor(await scene.ledger.now()) + 30
      await scene.openTask({ deadline }, 1)
      await scene.advance(30)
      await scene.openTask({}, 1)
    },
  },
  {
    title: 'kills every grant with its task and says which; the first end stands',
    async run(scene) {
      const task = await scene.openTask()
      const [one, two] = [await scene.register(task), await scene.register(task, { status: { uri: 'u', idx: 8 } })]
      const over = await scene.register(task, { exp: Math.floor(await scene.ledger.now()) + 1 })
      await scene.advance(1)
      const effect = await scene.ledger.endTask(task.txn, 'completed', 'all done')
      assert.deepEqual(effect?.tasks, [task.txn])
      assert.deepEqual(
        new Map(effect?.grants.map(({ jti, status }) => [jti, status.idx])),
        new Map([
          [one.jti, 7],
          [two.jti, 8],
        ]),
      )
      assert.ok(over)
      await scene.refused(one, 'task-ended')
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task)), 'task-ended')
      assert.equal(await scene.ledger.endTask(task.txn, 'failed'), undefined)
      const end = (await scene.ledger.task(task.txn))?.end
      assert.deepEqual([end?.how, end?.reason], ['completed', 'all done'])
      assert.equal((await scene.ledger.grant(one.jti))?.revoked?.reason, 'all done')
      assert.equal(await scene.ledger.endTask('tsk_unknown', 'completed'), undefined)
    },
  },
  {
    title: 'starts nothing again that was redeemed before the end: not by attempt, not by key',
    async run(scene) {
      const grant = await scene.grant()
      const request = await scene.request(grant, { idempotency: { key: 'k', digest: 'd' } })
      const answer = await scene.ledger.redeem(request)
      assert.ok(answer.ok && answer.state === 'first')
      await scene.ledger.endTask(grant.txn, 'completed')
      assertRefused(await scene.ledger.redeem(request), 'task-ended')
      await scene.refused(grant, 'task-ended', { idempotency: { key: 'k', digest: 'd' } })
      await scene.ledger.settle(answer.reservation, { status: 200 })
    },
  },
  {
    title: 'refuses a grant from the second of its expiry on, without leeway',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(9)] })
      const now = await scene.ledger.now()
      await scene.advance(grant.exp - now - 0.5)
      await scene.first(grant)
      await scene.advance(0.5)
      await scene.refused(grant, 'token-expired')
    },
  },
  {
    title: 'is over at its deadline, ended there as expired, whoever comes later',
    async run(scene) {
      const deadline = Math.floor(await scene.ledger.now()) + 30
      const task = await scene.openTask({ deadline })
      const grant = await scene.register(task, { exp: deadline })
      await scene.advance(30)
      const late = await scene.redeem(grant)
      assert.ok(!late.ok && ['task-expired', 'token-expired'].includes(late.reason))
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task)), 'task-expired')
      assert.equal(await scene.ledger.endTask(task.txn, 'completed'), undefined)
      assert.deepEqual((await scene.ledger.task(task.txn))?.end, { how: 'expired', at: deadline })
      const swept = await scene.sweep()
      assert.deepEqual(
        swept.tasks.map(({ txn, end }) => [txn, end?.how]),
        [[task.txn, 'expired']],
      )
      assert.deepEqual((await scene.sweep()).tasks, [])
    },
  },
  {
    title: 'sweeps each grant that expired with uses left, once, and no other',
    async run(scene) {
      const task = await scene.openTask()
      const unspent = await scene.register(task, { limits: [calls(2)] })
      await scene.first(unspent)
      const spent = await scene.register(task)
      await scene.first(spent)
      const revoked = await scene.register(task)
      await scene.ledger.revoke({ kind: 'grant', jti: revoked.jti }, 'test')
      const ended = await scene.grant()
      await scene.ledger.endTask(ended.txn, 'completed')
      assert.deepEqual((await scene.sweep()).grants, [])
      await scene.advance(61)
      assert.deepEqual(
        (await scene.sweep()).grants.map(({ jti, usesLeft }) => [jti, usesLeft]),
        [[unspent.jti, 1]],
      )
      assert.deepEqual((await scene.sweep()).grants, [])
    },
  },
]
