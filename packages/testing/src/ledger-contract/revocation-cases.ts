import assert from 'node:assert/strict'
import type { RefusalReason, RevocationTarget } from '@hallpass/core'
import type { Case, Scene } from './scene.ts'
import { assertRefused } from './scene.ts'

interface Wide {
  readonly target: RevocationTarget
  /** Whether the tasks end too, or only their grants. */
  readonly endsTasks: boolean
  readonly issue: RefusalReason
}

const AUDIENCE = 'https://orders.example'
const wide: readonly Wide[] = [
  { target: { kind: 'agent', clientId: 'support-bot' }, endsTasks: true, issue: 'agent-revoked' },
  { target: { kind: 'owner', owner: 'team:support' }, endsTasks: true, issue: 'agent-revoked' },
  { target: { kind: 'policy-version', version: '1' }, endsTasks: true, issue: 'stopped' },
  { target: { kind: 'everything' }, endsTasks: true, issue: 'stopped' },
  { target: { kind: 'action', audience: AUDIENCE, action: 'refund.create' }, endsTasks: false, issue: 'stopped' },
]

/** One victim that every wide target reaches, and a bystander that only `everything` does. */
async function cast(scene: Scene) {
  const task = await scene.openTask()
  const grant = await scene.register(task)
  const bystander = await scene.openTask({
    clientId: 'other-bot',
    owner: 'team:other',
    policy: { version: '2', digest: 'sha-256:other' },
  })
  return { task, grant, bystander, other: await scene.register(bystander, { action: 'order.read' }) }
}

const wideCases = wide.flatMap(({ target, endsTasks, issue }): Case[] => [
  {
    title: `revokes by ${target.kind}: kills, says what, refuses new issue, spares the rest`,
    async run(scene) {
      const { task, grant, bystander, other } = await cast(scene)
      const all = target.kind === 'everything'
      const effect = await scene.ledger.revoke(target, 'incident 7')
      assert.deepEqual(effect.tasks.toSorted(), endsTasks ? [task.txn, ...(all ? [bystander.txn] : [])].toSorted() : [])
      assert.deepEqual(
        effect.grants.map(({ jti }) => jti).toSorted(),
        [grant.jti, ...(all ? [other.jti] : [])].toSorted(),
      )
      assert.deepEqual(effect.grants[0]?.status, grant.status)
      await scene.refused(grant, 'grant-revoked')
      assert.equal((await scene.ledger.grant(grant.jti))?.revoked?.reason, 'incident 7')
      const again = endsTasks ? 'task-ended' : issue
      assertRefused(await scene.ledger.registerGrant(await scene.grantRecord(task)), again)
      if (endsTasks) {
        assertRefused(await scene.ledger.openTask(await scene.taskRecord(), { maxOpenTasks: 9 }), issue)
        assert.equal((await scene.ledger.task(task.txn))?.end?.how, 'revoked')
      }
      if (all) await scene.refused(other, 'grant-revoked')
      else await scene.first(other)
    },
  },
  {
    title: `revokes by ${target.kind}: a dry run names the same and changes nothing`,
    async run(scene) {
      const { task, grant } = await cast(scene)
      const dry = await scene.ledger.revoke(target, 'what if', { dryRun: true })
      await scene.register(task, { status: { uri: 'u', idx: 9 }, action: 'order.read' })
      await scene.first(grant)
      const wet = await scene.ledger.revoke(target, 'now really')
      assert.deepEqual(wet.tasks.toSorted(), dry.tasks.toSorted())
      assert.ok(dry.grants.every(({ jti }) => wet.grants.some((each) => each.jti === jti)))
    },
  },
  {
    title: `resumes ${target.kind}: issues again, and what was killed stays dead`,
    async run(scene) {
      const { task, grant } = await cast(scene)
      assert.equal(await scene.ledger.resume(target, 'nothing stands'), false)
      await scene.ledger.revoke(target, 'incident 7')
      assert.equal(await scene.ledger.resume(target, 'over'), true)
      assert.equal(await scene.ledger.resume(target, 'over'), false)
      await scene.refused(grant, 'grant-revoked')
      const next = endsTasks ? await scene.openTask() : task
      await scene.first(await scene.register(next))
    },
  },
  {
    title: `revokes by ${target.kind} what is only issued later`,
    async run(scene) {
      const effect = await scene.ledger.revoke(target, 'before anything exists')
      assert.deepEqual(effect, { tasks: [], grants: [] })
      const opened = await scene.ledger.openTask(await scene.taskRecord(), { maxOpenTasks: 1 })
      assertRefused(opened.ok ? await scene.ledger.registerGrant(await scene.grantRecord(opened.value)) : opened, issue)
    },
  },
])

export const revocationCases: readonly Case[] = [
  ...wideCases,
  {
    title: 'revokes one grant and leaves its task and its siblings',
    async run(scene) {
      const task = await scene.openTask()
      const [dead, alive] = [await scene.register(task), await scene.register(task)]
      const target = { kind: 'grant', jti: dead.jti } as const
      const effect = await scene.ledger.revoke(target, 'leaked')
      assert.deepEqual(effect, { tasks: [], grants: [{ jti: dead.jti, txn: task.txn, status: dead.status }] })
      await scene.refused(dead, 'grant-revoked')
      await scene.first(alive)
      assert.deepEqual(await scene.ledger.revoke(target, 'again'), { tasks: [], grants: [] })
      assert.equal(await scene.ledger.resume(target, 'sorry'), false)
      await scene.refused(dead, 'grant-revoked')
      assert.equal((await scene.ledger.grant(dead.jti))?.revoked?.reason, 'leaked')
    },
  },
  {
    title: 'revokes one task for good',
    async run(scene) {
      const grant = await scene.grant()
      const target = { kind: 'task', txn: grant.txn } as const
      assert.deepEqual((await scene.ledger.revoke(target, 'odd', { dryRun: true })).tasks, [grant.txn])
      assert.deepEqual((await scene.ledger.revoke(target, 'odd')).tasks, [grant.txn])
      assert.deepEqual(await scene.ledger.revoke(target, 'odd'), { tasks: [], grants: [] })
      await scene.refused(grant, 'grant-revoked')
      assert.equal(await scene.ledger.resume(target, 'sorry'), false)
      assert.equal((await scene.ledger.task(grant.txn))?.end?.how, 'revoked')
    },
  },
  {
    title: 'revokes by policy version the grants of other tasks too',
    async run(scene) {
      const task = await scene.openTask({ policy: { version: '2', digest: 'sha-256:two' } })
      const old = await scene.register(task, { policy: { version: '1', digest: 'sha-256:one' } })
      const current = await scene.register(task)
      const effect = await scene.ledger.revoke({ kind: 'policy-version', version: '1' }, 'bad rule')
      assert.deepEqual([effect.tasks, effect.grants.map(({ jti }) => jti)], [[], [old.jti]])
      await scene.refused(old, 'grant-revoked')
      await scene.first(current)
    },
  },
  {
    title: 'revokes one action at one audience, not its namesakes',
    async run(scene) {
      const task = await scene.openTask()
      const namesake = await scene.register(task, { audience: 'https://stock.example' })
      await scene.ledger.revoke({ kind: 'action', audience: AUDIENCE, action: 'refund.create' }, 'bug')
      await scene.first(namesake)
      await scene.first(await scene.register(task, { action: 'order.read' }))
    },
  },
  {
    title: 'keeps stops apart: lifting one leaves the other',
    async run(scene) {
      const agent = { kind: 'agent', clientId: 'support-bot' } as const
      await scene.ledger.revoke({ kind: 'everything' }, 'incident')
      await scene.ledger.revoke(agent, 'incident')
      await scene.ledger.resume({ kind: 'everything' }, 'over')
      assertRefused(await scene.ledger.openTask(await scene.taskRecord(), { maxOpenTasks: 1 }), 'agent-revoked')
      await scene.openTask({ clientId: 'other-bot' })
      await scene.ledger.resume(agent, 'over')
      await scene.openTask()
    },
  },
]
