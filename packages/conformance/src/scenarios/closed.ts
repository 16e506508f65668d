import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { memoryLedger, memoryTrail, type AuditSink, type UseLedger } from '@hallpass/core'
import { definePolicy } from '@hallpass/policy'
import { testKey } from '@hallpass/testing'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { orders } from '../stage/api.ts'
import { shown } from '../stage/policy.ts'
import { answered, told } from '../stage/stage.ts'

const brokenLedger = (redeem: UseLedger['redeem']): UseLedger => ({
  exactFor: 'one-process',
  redeem,
  settle: () => {},
  giveBack: () => false,
})

/** Never 4 and 6: what fails refuses; who is unknown gets nothing. */
export const closed: readonly Scenario[] = [
  atEachDoor(
    ['closed.ledger'],
    'answers 503 while the ledger throws, rejects, hangs or answers nonsense',
    async (stage) => {
      const token = await stage.readGrant(await stage.task())
      const ways: readonly UseLedger['redeem'][] = [
        () => {
          throw new Error('down')
        },
        () => Promise.reject(new Error('down')),
        () => new Promise(() => {}),
        () => undefined as never,
        () => ({ ok: true, state: 'yes' }) as never,
      ]
      for (const redeem of ways) {
        await stage.mount({ ledger: brokenLedger(redeem), more: { ledgerTimeoutMs: 50 } })
        const answer = await stage.readOrder(token)
        assert.equal(told(answer), '503 cannot-verify')
        assert.notEqual(answer.headers['retry-after'], undefined)
      }
      assert.equal(stage.runs.length, 0)
      await stage.mount()
      assert.equal(told(await stage.readOrder(token)), '200')
    },
  ),
  atEachDoor(['closed.audit'], 'answers 503 while the trail cannot record', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    const sinks: readonly AuditSink['append'][] = [
      () => {
        throw new Error('full')
      },
      () => Promise.reject(new Error('full')),
    ]
    for (const append of sinks) {
      await stage.mount({ audit: { ...memoryTrail(), append } })
      assert.equal(told(await stage.readOrder(token)), '503 cannot-verify')
    }
    assert.equal(stage.runs.length, 0)
  }),
  atEachDoor(['closed.keys'], 'answers 503 while the issuer’s keys cannot be had', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    const unreachable = { issuer: stage.world.issuer, jwks: () => Promise.reject(new Error('down')) }
    await stage.mount({ more: { issuer: unreachable } })
    assert.equal(told(await stage.readOrder(token)), '503 cannot-verify')
    await stage.mount({
      more: { issuer: { issuer: stage.world.issuer, jwks: () => ({ keys: [testKey('other').publicJwk] }) } },
    })
    assert.equal(told(await stage.readOrder(token)), '401 grant-invalid')
    assert.equal(stage.runs.length, 0)
  }),
  once(['closed.policy', 'decide.literal'], 'denies when a predicate throws or a fact is late', async (stage) => {
    for (const purpose of ['broken', 'late']) {
      const task = await stage.task(purpose)
      assert.equal(
        answered(await stage.ask(task, { action: 'order.read', resource: 'order:1' })),
        '400 access_denied policy-failed',
      )
    }
    const refused = (await stage.events()).filter(({ reason }) => reason === 'policy-failed')
    assert.equal(refused.length, 2)
    assert(refused.every(({ rule }) => rule !== undefined))
  }),
  once(['agent.incomplete'], 'loads no policy with an agent nobody answers for', async () => {
    const whole = { owner: 'team:x', identity: {}, approvers: ['group:x'], revokeOn: [] }
    for (const missing of ['owner', 'identity', 'approvers', 'revokeOn']) {
      const agent: Record<string, unknown> = { ...whole }
      delete agent[missing]
      const input = { api: orders, version: '1', purposes: ['x'], agents: { lost: agent }, rules: [] }
      assert.throws(() => definePolicy(input as never), { code: 'policy-invalid' }, missing)
    }
  }),
  once(['agent.unknown'], 'gives an unregistered agent nothing', async (stage) => {
    const stranger = stage.world.wire('stranger' as 'other-bot')
    assert.match(answered(await stranger.open('support')), /^401 invalid_client/)
    assert.equal((await stranger.open('support')).body['reason'], undefined, 'and tells it nothing')
  }),
  once(['approval.absent'], 'refuses what needs an approval as such', async (stage) => {
    const task = await stage.task()
    const answer = await stage.ask(task, {
      action: 'refund.create',
      resource: 'order:123',
      parameters: { amount: '50.01' },
    })
    assert.equal(answered(answer), '400 access_denied approval-required')
  }),
  once(['narrow.ceiling'], 'grants nothing beyond the ceiling of the task', async (stage) => {
    const task = await stage.task('support', { ceiling: { actions: ['order.read'], resources: ['order:123'] } })
    assert.match(answered(await stage.ask(task, { action: 'order.read', resource: 'order:124' })), /ceiling-exceeded$/)
    assert.match(
      answered(
        await stage.ask(task, { action: 'refund.create', resource: 'order:123', parameters: { amount: '1.00' } }),
      ),
      /ceiling-exceeded$/,
    )
    const token = await stage.readGrant(task)
    assert.match(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(), /"identifier":"order:123"/, 'no class')
  }),
  once(['decide.deny-first'], 'puts deny over approve over permit', async (stage) => {
    const task = await stage.task('contested')
    assert.equal(
      answered(await stage.ask(task, { action: 'order.read', resource: 'order:1' })),
      '400 access_denied policy-denied',
    )
  }),
  once(['decide.strictest'], 'gives the strictest limits of several permits', async (stage) => {
    const answer = await stage.ask(await stage.task('strict'), { action: 'order.read', resource: 'order:1' })
    assert.equal(answer.body['expires_in'], 20)
    const [entry] = answer.body['authorization_details'] as [{ limits: { max: number }[]; identifier: string }]
    assert.equal(entry.identifier, 'order:1')
    assert.equal(Math.min(...entry.limits.map(({ max }) => max)), 2)
  }),
  once(['decide.note'], 'shows no rule the note', async (stage) => {
    delete shown.request
    await stage.readGrant(await stage.task('strict', { note: 'CANARY-NOTE' }))
    assert.notEqual(shown.request, undefined)
    assert.doesNotMatch(inspect(shown.request, { depth: 9, showHidden: true, getters: true }), /CANARY/)
  }),
  once(['register.revoked'], 'issues nothing after a revocation came first', async (stage) => {
    const task = await stage.task()
    await stage.world.broker.revoke({ kind: 'action', audience: orders.audience, action: 'order.read' }, 'drill')
    assert.match(answered(await stage.ask(task, { action: 'order.read', resource: 'order:1' })), /^400 access_denied/)
    await stage.refundGrant(task)
    await stage.world.broker.revoke({ kind: 'everything' }, 'drill')
    assert.match(
      answered(await stage.ask(task, { action: 'refund.create', resource: 'order:1', parameters: { amount: '1.00' } })),
      /^400 /,
    )
    assert.match(answered(await stage.agent.open('support')), /^400 access_denied/)
  }),
  once(['incarnation.boot'], 'refuses tasks of the ledger’s former life', async (stage) => {
    const reborn = memoryLedger({ exactFor: 'one-process', clock: stage.clock.now })
    const token = await stage.readGrant(await stage.task())
    await stage.mount({ ledger: reborn })
    assert.equal(told(await stage.readOrder(token)), '401 grant-invalid')
  }),
]
