import assert from 'node:assert/strict'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { answered, told, type Stage } from '../stage/stage.ts'

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
const idOf = (token: string): string => String(claimsOf(token)['jti'])
const taskOf = (token: string): string => String(claimsOf(token)['txn'])

/** A grant that was good a moment ago, and the call that proves it. */
async function live(stage: Stage) {
  const task = await stage.task()
  const token = await stage.readGrant(task)
  assert.equal(told(await stage.readOrder(token)), '200')
  return { task, token }
}

/** Never 1: dead is dead. */
export const dead: readonly Scenario[] = [
  atEachDoor(['dead.expired'], 'refuses at exp, to the second, without leeway', async (stage) => {
    const { token } = await live(stage)
    stage.clock.set(Number(claimsOf(token)['exp']) - 0.5)
    assert.equal(told(await stage.readOrder(token)), '200')
    stage.clock.set(Number(claimsOf(token)['exp']))
    assert.equal(told(await stage.readOrder(token)), '401 grant-invalid')
    assert.equal(stage.runs.length, 2)
  }),
  atEachDoor(['dead.last-use'], 'refuses after the last use', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    assert.equal(told(await stage.refund(token)), '200')
    assert.equal(told(await stage.refund(token)), '401 grant-exhausted')
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(['dead.task-completed'], 'refuses what a completed task held', async (stage) => {
    const { task, token } = await live(stage)
    assert.equal((await stage.agent.end(task, 'completed')).status, 200)
    assert.equal(told(await stage.readOrder(token)), '401 task-closed')
    assert.equal(
      answered(await stage.ask(task, { action: 'order.read', resource: 'order:1' })),
      '400 invalid_request task-ended',
    )
  }),
  atEachDoor(
    ['dead.task-deadline', 'clock.ledger'],
    'refuses what a task held once its deadline passed',
    async (stage) => {
      const task = await stage.task('support', { deadline: stage.clock.now() + 40 })
      const token = await stage.readGrant(task)
      assert.equal(Number(claimsOf(token)['exp']), Math.floor(stage.clock.now() + 40))
      stage.clock.advance(41)
      assert.equal(told(await stage.readOrder(token)), '401 grant-invalid')
      await stage.task('support', {}, stage.world.wire('other-bot'))
      stage.clock.advance(-30)
      assert.match(told(await stage.readOrder(token)), /^401 /, 'a clock that is turned back revives nothing')
      assert.equal(stage.runs.length, 0)
    },
  ),
  atEachDoor(['dead.grant-revoked'], 'refuses a revoked grant at once, and no other', async (stage) => {
    const { task, token } = await live(stage)
    const other = await stage.readGrant(task)
    await stage.world.broker.revoke({ kind: 'grant', jti: idOf(token) }, 'drill')
    assert.equal(told(await stage.readOrder(token)), '401 grant-revoked')
    assert.equal(told(await stage.readOrder(other)), '200')
  }),
  atEachDoor(['dead.task-revoked'], 'refuses every grant of a revoked task at once', async (stage) => {
    const { token } = await live(stage)
    await stage.world.broker.revoke({ kind: 'task', txn: taskOf(token) }, 'drill')
    assert.match(told(await stage.readOrder(token)), /^401 (grant-revoked|task-closed)$/)
  }),
  atEachDoor(
    ['dead.agent-revoked'],
    'refuses every grant of a revoked agent at once, and gives it no task',
    async (stage) => {
      const { task, token } = await live(stage)
      await stage.world.broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'drill')
      assert.match(told(await stage.readOrder(token)), /^401 (grant-revoked|task-closed)$/)
      assert.match(answered(await stage.ask(task, { action: 'order.read', resource: 'order:1' })), /^400 /)
      assert.match(answered(await stage.agent.open('support')), /^400 access_denied/)
      await stage.task('support', {}, stage.world.wire('other-bot'))
    },
  ),
  once(['narrow.renewed'], 'renews a task inside its boundary', async (stage) => {
    const deadline = Math.floor(stage.clock.now()) + 3000
    const task = await stage.task('support', { deadline })
    await stage.refund(await stage.refundGrant(task, '45.00'), '45.00')
    stage.clock.advance(600)
    const renewed = await stage.task('support', { txn: taskOf(task), purpose: undefined as never })
    assert.equal(taskOf(renewed), taskOf(task))
    const state = await stage.world.ledger.task(taskOf(task))
    assert.equal(state?.deadline, deadline)
    assert.equal(
      answered(
        await stage.ask(renewed, { action: 'refund.create', resource: 'order:123', parameters: { amount: '45.00' } }),
      ),
      '400 access_denied limit-exceeded',
    )
    const stranger = stage.world.wire('support-bot')
    assert.match(
      answered(await stranger.open('support', { txn: taskOf(task), purpose: undefined })),
      /^400 /,
      'another key renews nothing',
    )
  }),
]
