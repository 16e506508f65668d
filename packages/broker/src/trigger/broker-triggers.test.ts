import { describe, expect, test, vi } from 'vitest'
import { defaultTriggers, definePolicy, type Trigger } from '@hallpass/policy'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, identityOf, ORDERS, orders, redeemRequest, rig, type RigOptions } from '../../test/rig.ts'

const policyWith = (...revokeOn: [Trigger, ...Trigger[]]) =>
  definePolicy({
    api: orders,
    version: '1',
    purposes: ['support-ticket'],
    agents: {
      'support-bot': {
        owner: 'team:support',
        identity: identityOf('support-bot'),
        approvers: ['group:leads'],
        revokeOn,
      },
    },
    rules: [
      { id: 'read', action: 'order.read', effect: 'permit', limits: { calls: 5 } },
      {
        id: 'refund',
        action: 'refund.create',
        effect: 'permit',
        when: (r) => r.parameters.amount.lte('50.00'),
        limits: { calls: 5 },
      },
    ],
  })

async function taskRig(options: RigOptions) {
  const made = rig(options)
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const ask = (entry: object = {}) => made.exchange(pair, task.access_token, entry)
  const denied = () => ask({ parameters: { amount: '99.00' } })
  const grant = (await ask()).body.access_token
  return { ...made, pair, task, ask, denied, grant, settle: () => new Promise((resolve) => setImmediate(resolve)) }
}

describe('createBroker() with triggers', () => {
  test('ends the task of an agent that asks for too much too often, and says why', async () => {
    const policy = policyWith({ on: 'refused-requests', count: 3, windowSeconds: 60, effect: 'end-task' })
    const { denied, ask, task, ledger, events, settle } = await taskRig({ policy })
    const refused = [(await denied()).body.event, (await denied()).body.event]
    expect((await ask({ actions: ['order.read'], parameters: {} })).status).toBe(200)
    refused.push((await denied()).body.event)
    await settle()
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'revoked' } })
    const [fired] = await events('trigger.fired')
    expect(fired).toMatchObject({ txn: task.txn, client_id: 'support-bot', reason: 'refused-requests', count: 3 })
    expect(fired?.data).toMatchObject({ events: refused, bounds: { count: 3, windowSeconds: 60 } })
    expect(await events('revocation.requested')).toMatchObject([{ data: { by: 'trigger:refused-requests' } }])
    expect((await ask({ actions: ['order.read'], parameters: {} })).status).toBe(400)
  })

  test('quarantines an agent by what its API reports, until somebody lets it go on', async () => {
    const policy = policyWith({ on: 'out-of-scope', count: 2, windowSeconds: 60, effect: 'quarantine-agent' })
    const { caller, grant, open, broker, time, settle, events } = await taskRig({ policy })
    const { jti, txn, cnf } = claimsOf(grant) as { jti: string; txn: string; cnf: { jkt: string } }
    const { json } = await caller('orders-api')
    const event = (letter: string) => ({
      id: `ev_${letter.repeat(22)}`,
      type: 'use.refused',
      time: time.now,
      source: `verifier:${ORDERS}#1`,
      aud: ORDERS,
      client_id: 'support-bot',
      jkt: cnf.jkt,
      reason: 'resource-mismatch',
      jti,
      txn,
    })
    await json('/audit', { events: [event('a'), event('a')] })
    await settle()
    expect((await open(keyPair())).status).toBe(200)
    expect((await json('/audit', { events: [event('b')] })).body).toEqual({ accepted: 1 })
    await vi.waitFor(async () => expect(await events('trigger.fired')).toHaveLength(1))
    expect((await open(keyPair())).body).toMatchObject({ error: 'access_denied' })
    expect(await broker.resume({ kind: 'agent', clientId: 'support-bot' }, 'looked into')).toBe(true)
    expect((await open(keyPair())).status).toBe(200)
  })

  test('counts uses that are redeemed over HTTP', async () => {
    const policy = policyWith({ on: 'velocity', calls: 2, windowSeconds: 60, effect: 'revoke-grant' })
    const { caller, grant, pair, ledger, settle } = await taskRig({ policy })
    const { json } = await caller('orders-api')
    for (const attempt of ['a', 'b', 'c']) {
      await json('/redeem', {
        calls: [{ op: 'redeem', request: redeemRequest(grant, { pair, attempt, amounts: {} }) }],
      })
    }
    await settle()
    expect(await ledger.grant(claimsOf(grant).jti)).toMatchObject({ revoked: { reason: 'velocity' } })
  })

  test('watches what an in-process verifier writes', async () => {
    const policy = policyWith({ on: 'proof-replayed', count: 2, windowSeconds: 60, effect: 'end-task' })
    const { broker, grant, ledger, task, settle } = await taskRig({ policy })
    const { jti, txn } = claimsOf(grant)
    for (const id of ['ev_1', 'ev_2']) {
      const facts = { time: 0, source: `verifier:${ORDERS}#1`, client_id: 'support-bot', aud: ORDERS, jti, txn }
      await broker.audit.append({ id, type: 'use.refused', reason: 'proof-replayed', ...facts })
    }
    await settle()
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'revoked' } })
  })

  test('ends an idle task at the next sweep', async () => {
    const policy = policyWith({ on: 'inactivity', seconds: 100, effect: 'end-task' })
    const { broker, time, ledger, task } = await taskRig({ policy })
    time.now += 100
    await broker.close()
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'revoked', reason: 'inactivity' } })
  })

  test('ends the task whose posture changed, before the grant that would have followed', async () => {
    const policy = policyWith({ on: 'posture-changed', effect: 'end-task' })
    const state = { image: 'sha256:a' }
    const { ask } = await taskRig({ policy, posture: () => ({ ...state }) })
    expect((await ask()).status).toBe(200)
    state.image = 'sha256:b'
    expect(await ask()).toMatchObject({ status: 400, body: { reason: 'task-ended' } })
  })
})

describe('signalsEndpoint()', () => {
  const signalRig = () =>
    taskRig({
      policy: policyWith({ on: 'signal', name: 'host-compromised', effect: 'end-task' }, ...defaultTriggers),
      signalers: [{ id: 'root', identity: identityOf('root'), signals: ['host-compromised'] }],
      operators: [],
    })

  test('acts before it answers', async () => {
    const { caller, task, ledger, events } = await signalRig()
    const { json } = await caller('root')
    const told = { name: 'host-compromised', txn: task.txn, detail: 'beacon seen' }
    expect((await json('/signals', told)).body).toEqual({ triggers: 1 })
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'revoked' } })
    expect(await events('trigger.fired')).toMatchObject([{ detail: 'by root: beacon seen', reason: 'signal' }])
  })

  test.each([
    ['another signal', { name: 'bored', agent: 'support-bot' }, 401],
    ['no subject', { name: 'host-compromised' }, 400],
    ['two subjects', { name: 'host-compromised', agent: 'support-bot', txn: 'x' }, 400],
    ['a member more', { name: 'host-compromised', agent: 'support-bot', effect: 'none' }, 400],
    ['a list', [], 400],
    ['an agent nobody knows', { name: 'host-compromised', agent: 'ghost' }, 200],
  ])('does nothing for %s', async (_name, told, status) => {
    const { caller, task, ledger } = await signalRig()
    const { json } = await caller('root')
    expect((await json('/signals', told)).status).toBe(status)
    expect((await ledger.task(task.txn))?.end).toBeUndefined()
  })

  test('takes no signal from an API, and no revocation from a signaler', async () => {
    const { caller, task, ledger } = await signalRig()
    const api = await caller('orders-api')
    expect((await api.json('/signals', { name: 'host-compromised', txn: task.txn })).status).toBe(401)
    const signaler = await caller('root')
    expect((await signaler.json('/revocations', { target: { kind: 'everything' }, reason: 'x' })).status).toBe(401)
    expect((await ledger.task(task.txn))?.end).toBeUndefined()
  })

  test('is not there for a signal nobody waits for', () => {
    expect(() => rig({ signalers: [{ id: 'root', identity: identityOf('root'), signals: ['boredom'] }] })).toThrow(
      'boredom',
    )
  })
})
