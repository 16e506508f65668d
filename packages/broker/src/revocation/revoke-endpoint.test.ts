import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair, prove } from '../../test/holder.ts'
import { claimsOf, ISSUER, rig, START } from '../../test/rig.ts'

async function taskRig(options: Parameters<typeof rig>[0] = {}) {
  const made = rig(options)
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const grant = (await made.exchange(pair, task.access_token)).body
  return { ...made, pair, task, grant }
}

describe('revokeEndpoint()', () => {
  test.each(['completed', 'failed', 'cancelled', 'abandoned'])(
    'revokeEndpoint() ends a task as %s and kills its grants',
    async (reason) => {
      const { post, pair, task, grant, ledger, events } = await taskRig()
      expect(await post('/revoke', { token: task.access_token, reason }, pair)).toMatchObject({ status: 200 })
      expect(await ledger.task(task.txn)).toMatchObject({ end: { how: reason } })
      expect(await ledger.grant(claimsOf(grant.access_token).jti)).toMatchObject({ revoked: {} })
      const [ended] = await events('task.ended')
      expect(ended).toMatchObject({ reason, txn: task.txn, count: 1 })
      expect(await events('grant.revoked')).toMatchObject([
        { jti: claimsOf(grant.access_token).jti, follows: ended?.id },
      ])
    },
  )

  test('revokeEndpoint() revokes one grant and leaves its task alone', async () => {
    const { post, exchange, pair, task, grant, ledger } = await taskRig()
    expect((await post('/revoke', { token: grant.access_token }, pair)).status).toBe(200)
    expect(await ledger.grant(claimsOf(grant.access_token).jti)).toMatchObject({ revoked: {} })
    expect((await exchange(pair, task.access_token, { actions: ['order.read'], parameters: {} })).status).toBe(200)
  })

  test('revokeEndpoint() lets an agent end its task by its identity, without the key', async () => {
    const { post, asClient, task, ledger } = await taskRig()
    expect((await post('/revoke', { token: task.access_token, ...asClient('support-bot') }, {})).status).toBe(200)
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'revoked' } })
  })

  test('revokeEndpoint() ends a task whose token has expired', async () => {
    const { post, pair, task, time, ledger } = await taskRig({ taskTokenSeconds: 60 })
    time.now += 61
    expect((await post('/revoke', { token: task.access_token, reason: 'failed' }, pair)).status).toBe(200)
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'failed' } })
  })

  test('revokeEndpoint() lets the first end stand', async () => {
    const { post, pair, task, ledger, events } = await taskRig()
    await post('/revoke', { token: task.access_token, reason: 'completed' }, pair)
    expect((await post('/revoke', { token: task.access_token, reason: 'failed' }, pair)).status).toBe(200)
    expect(await ledger.task(task.txn)).toMatchObject({ end: { how: 'completed' } })
    expect(await events('task.ended')).toHaveLength(1)
  })

  test.each(['rubbish', 'a.b.c', 'x'.repeat(9000)])(
    'revokeEndpoint() answers 200 for a token nobody knows',
    async (token) => {
      const { post, pair } = await taskRig()
      expect((await post('/revoke', { token }, pair)).status).toBe(200)
    },
  )

  test('revokeEndpoint() acts even when the trail takes nothing, and tells it later', async () => {
    const trail = memoryTrail()
    let isFull = false
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) => {
        if (isFull) throw new Error('disk full')
        return trail.append(event)
      },
    }
    const { post, pair, task, grant, ledger, open, send } = await taskRig({ audit })
    isFull = true
    expect((await post('/revoke', { token: task.access_token }, pair)).status).toBe(200)
    expect(await ledger.grant(claimsOf(grant.access_token).jti)).toMatchObject({ revoked: {} })
    expect(await open(keyPair())).toMatchObject({ status: 503 })
    expect(await send('/readyz')).toMatchObject({ status: 503, body: { trail: false } })
    isFull = false
    expect((await open(keyPair())).status).toBe(200)
    const types = (await trail.events()).map(({ type }) => type)
    expect(types.indexOf('task.ended')).toBeGreaterThan(types.indexOf('grant.issued'))
    expect(types.lastIndexOf('task.opened')).toBeGreaterThan(types.indexOf('task.ended'))
  })

  const refused: [
    string,
    (made: Awaited<ReturnType<typeof taskRig>>) => ReturnType<ReturnType<typeof rig>['post']>,
    number,
    string,
  ][] = [
    ['nobody', ({ post, task }) => post('/revoke', { token: task.access_token }, {}), 401, 'invalid_client'],
    [
      'another key',
      ({ post, task }) => post('/revoke', { token: task.access_token }, keyPair()),
      400,
      'invalid_dpop_proof',
    ],
    [
      'another agent',
      ({ post, task, asClient }) => post('/revoke', { token: task.access_token, ...asClient('other-bot') }, {}),
      400,
      'unauthorized_client',
    ],
    [
      'an API',
      ({ post, task, asClient }) => post('/revoke', { token: task.access_token, ...asClient('orders-api') }, {}),
      400,
      'unauthorized_client',
    ],
    [
      'a proof for another endpoint',
      ({ post, task, pair }) =>
        post('/revoke', { token: task.access_token }, { dpop: prove(pair, { url: `${ISSUER}/token`, iat: START }) }),
      400,
      'invalid_dpop_proof',
    ],
    [
      'an unknown reason',
      ({ post, task, pair }) => post('/revoke', { token: task.access_token, reason: 'expired' }, pair),
      400,
      'invalid_request',
    ],
    ['no token', ({ post, pair }) => post('/revoke', {}, pair), 400, 'invalid_request'],
  ]
  test.each(refused)('revokeEndpoint() refuses %s and ends nothing', async (...[, ask, status, error]) => {
    const made = await taskRig()
    expect(await ask(made)).toMatchObject({ status, body: { error } })
    expect((await made.ledger.task(made.task.txn))?.end).toBeUndefined()
    expect((await made.ledger.grant(claimsOf(made.grant.access_token).jti))?.revoked).toBeUndefined()
  })

  test('revokeEndpoint() answers 503 while the ledger is down', async () => {
    const { post, pair, task } = await taskRig({
      wrapLedger: (ledger) => ({ ...ledger, endTask: () => Promise.reject(new Error('gone')) }),
    })
    const { status, headers } = await post('/revoke', { token: task.access_token }, pair)
    expect({ status, retry: headers.get('retry-after') }).toEqual({ status: 503, retry: '2' })
  })
})
