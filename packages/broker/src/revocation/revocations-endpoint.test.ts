import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, rig } from '../../test/rig.ts'

async function operatorRig() {
  const made = rig()
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const grant = claimsOf((await made.exchange(pair, task.access_token)).body.access_token)
  return { ...made, pair, task, grant, operator: await made.caller('root') }
}

describe('revocationsEndpoint()', () => {
  test('revocationsEndpoint() says first and kills then, in the name of its operator', async () => {
    const { operator, ledger, grant, task, events } = await operatorRig()
    const request = { target: { kind: 'agent', clientId: 'support-bot' }, reason: 'odd' }
    const dry = await operator.json('/revocations', { ...request, dry_run: true })
    expect(dry.body).toEqual({
      dry_run: true,
      tasks: [task.txn],
      grants: [expect.objectContaining({ jti: grant.jti })],
    })
    expect((await ledger.grant(grant.jti))?.revoked).toBeUndefined()
    const real = await operator.json('/revocations', request)
    expect(real.body).toMatchObject({ dry_run: false, tasks: [task.txn] })
    expect(await ledger.grant(grant.jti)).toMatchObject({ revoked: {} })
    expect(await events('revocation.requested')).toMatchObject([{ id: real.body.event, data: { by: 'root' } }])
  })

  test('revocationsEndpoint() lifts a stop', async () => {
    const { operator, open } = await operatorRig()
    const target = { kind: 'everything' }
    await operator.json('/revocations', { target, reason: 'drill' })
    expect((await open(keyPair())).status).toBe(400)
    expect((await operator.json('/revocations', { target, reason: 'over', resume: true })).body).toEqual({
      resumed: true,
    })
    expect((await open(keyPair())).status).toBe(200)
  })

  test.each([
    ['no reason', { target: { kind: 'everything' } }],
    ['an empty reason', { target: { kind: 'everything' }, reason: '' }],
    ['no target', { reason: 'x' }],
    ['an unknown kind', { target: { kind: 'planet' }, reason: 'x' }],
    ['a kind of Object.prototype', { target: { kind: 'constructor' }, reason: 'x' }],
    ['a target with too little', { target: { kind: 'agent' }, reason: 'x' }],
    ['a target with too much', { target: { kind: 'everything', except: 'me' }, reason: 'x' }],
    ['an unknown member', { target: { kind: 'everything' }, reason: 'x', dryRun: true }],
    ['a dry run of a resume', { target: { kind: 'everything' }, reason: 'x', dry_run: true, resume: true }],
    ['a list', []],
    ['no JSON', 'rubbish'],
    ['a repeated member', '{"target":{"kind":"everything"},"reason":"x","dry_run":true,"dry_run":false}'],
  ])('revocationsEndpoint() refuses a request with %s and kills nothing', async (_name, request) => {
    const { operator, ledger, grant } = await operatorRig()
    expect(await operator.json('/revocations', request)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    expect((await ledger.grant(grant.jti))?.revoked).toBeUndefined()
  })

  test('revocationsEndpoint() refuses an API, an agent and nobody', async () => {
    const { caller, task, pair, operator, send } = await operatorRig()
    const request = { target: { kind: 'everything' }, reason: 'x' }
    const api = await caller('orders-api')
    expect(await api.json('/revocations', request)).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
    expect(await operator.json('/revocations', request, { token: task.access_token })).toMatchObject({ status: 401 })
    expect(pair.jkt).not.toBe(operator.pair.jkt)
    const bare = await send('/revocations', {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'content-type': 'application/json' },
    })
    expect(bare).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
    expect(bare.headers.get('www-authenticate')).toBe('DPoP error="invalid_token", algs="ES256"')
  })
})
