import { memoryTrail, parameterDigest, type Ledger } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { jws, keyPair, prove } from '../../test/holder.ts'
import { claimsOf, ISSUER, ORDERS, redeemRequest, rig, START, STOCK } from '../../test/rig.ts'

async function taskRig(options: Parameters<typeof rig>[0] = {}, entry: object = {}) {
  const made = rig(options)
  const pair = keyPair()
  const task = await made.open(pair, entry)
  return { ...made, pair, task: task.body, token: task.body.access_token }
}

describe('exchange() issues', () => {
  test('exchange() replaces the parameters by their digest', async () => {
    const { exchange, pair, token } = await taskRig()
    const { body } = await exchange(pair, token)
    expect(body['authorization_details']).toEqual([
      {
        type: 'urn:hallpass:tool-call',
        locations: [ORDERS],
        actions: ['refund.create'],
        identifier: 'order:123',
        parameter_digest: parameterDigest({ amount: '42.00' }),
        limits: expect.arrayContaining([{ id: 'calls', per: 'grant', max: 1 }]) as unknown,
      },
    ])
  })

  test('exchange() gives a class where policy does, and the exact resource where the ceiling is narrower', async () => {
    const wide = await taskRig()
    const read = { actions: ['order.read'], parameters: {} }
    expect((await wide.exchange(wide.pair, wide.token, read)).body['authorization_details']).toMatchObject([
      { identifier: 'order:*' },
    ])
    const narrow = await taskRig({}, { ceiling: { resources: ['order:123'] } })
    expect((await narrow.exchange(narrow.pair, narrow.token, read)).body['authorization_details']).toMatchObject([
      { identifier: 'order:123' },
    ])
  })

  test('exchange() lets no grant outlive the task token or the deadline', async () => {
    const { exchange, pair, token, time } = await taskRig({}, { deadline: START + 40 })
    time.now += 20.9
    const { body } = await exchange(pair, token)
    expect(claimsOf(body.access_token)['exp']).toBe(START + 40)
    time.now = START + 39.5
    expect((await exchange(pair, token)).body['expires_in']).toBe(1)
    time.now = START + 40
    expect(await exchange(pair, token)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test('exchange() registers before it answers, so that each token is a grant the ledger knows', async () => {
    const { exchange, pair, token, ledger } = await taskRig()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => exchange(pair, token, { actions: ['order.read'], parameters: {} })),
    )
    const known = await Promise.all(answers.map(async ({ body }) => ledger.grant(claimsOf(body.access_token).jti)))
    expect(known.filter((grant) => grant?.revoked === undefined && grant?.txn !== undefined)).toHaveLength(20)
    expect(new Set(known.map((grant) => `${grant?.status.uri} ${grant?.status.idx}`)).size).toBe(20)
  })

  test('exchange() joins its event to the call by the caller’s own id', async () => {
    const { post, callForm, pair, token, events } = await taskRig()
    await post('/token', { ...callForm(token), call_id: 'call-4' }, pair)
    expect(await events('grant.issued')).toMatchObject([
      { call_id: 'call-4', action: 'refund.create', resource: 'order:123' },
    ])
    expect(await post('/token', { ...callForm(token), call_id: 'two words' }, pair)).toMatchObject({
      body: { error: 'invalid_request' },
    })
  })

  test('exchange() tells the trail keyed digests and no parameter', async () => {
    const { exchange, pair, token, trail } = await taskRig()
    await exchange(pair, token)
    const text = trail.lines().join('\n')
    expect(text).toContain('hmac-sha-256:')
    expect(text).not.toContain('42.00')
    expect(text).not.toContain(parameterDigest({ amount: '42.00' }))
    expect(text).not.toContain(token)
  })

  test('exchange() takes a client assertion of the same agent along', async () => {
    const { post, callForm, asClient, pair, token } = await taskRig()
    expect((await post('/token', { ...callForm(token), ...asClient('support-bot') }, pair)).status).toBe(200)
  })
})

describe('exchange() refuses the call', () => {
  test.each([
    [
      'parameters above what policy permits',
      { parameters: { amount: '60.00' } },
      { error: 'access_denied', reason: 'no-rule-matched' },
    ],
    [
      'what needs an approval',
      { parameters: { amount: '100.01' } },
      { error: 'access_denied', reason: 'approval-required' },
    ],
    [
      'an unknown parameter',
      { parameters: { amount: '1.00', admin: true } },
      { error: 'invalid_authorization_details', reason: 'parameters-invalid' },
    ],
    [
      'an amount that is a number',
      { parameters: { amount: 1 } },
      { error: 'invalid_authorization_details', reason: 'parameters-invalid' },
    ],
    [
      'an action without a rule',
      { actions: ['order.delete'], parameters: {} },
      { error: 'access_denied', reason: 'no-rule-matched' },
    ],
    [
      'an unknown action',
      { actions: ['order.explode'] },
      { error: 'invalid_authorization_details', reason: 'action-mismatch' },
    ],
    [
      'an action of another API',
      { actions: ['stock.reserve'], identifier: 'stock:a' },
      { error: 'invalid_authorization_details', reason: 'action-mismatch' },
    ],
    [
      'a name of Object.prototype',
      { actions: ['constructor'] },
      { error: 'invalid_authorization_details', reason: 'action-mismatch' },
    ],
    [
      'a resource of another kind',
      { identifier: 'stock:123' },
      { error: 'invalid_authorization_details', reason: 'resource-mismatch' },
    ],
    ['a class', { identifier: 'order:*' }, { error: 'invalid_authorization_details', reason: 'resource-mismatch' }],
    [
      'a path in the resource',
      { identifier: 'order:1/../2' },
      { error: 'invalid_authorization_details', reason: 'resource-mismatch' },
    ],
  ])('exchange() refuses %s, and counts it in the task', async (_name, entry, told) => {
    const { exchange, pair, task, token, events, ledger } = await taskRig()
    const { status, body } = await exchange(pair, token, entry)
    expect({ status, body }).toMatchObject({ status: 400, body: told })
    expect(await events('grant.refused')).toMatchObject([
      { id: body.event, reason: told.reason, txn: task.txn, purpose: 'support-ticket' },
    ])
    expect(await ledger.task(task.txn)).toMatchObject({ refusals: 1, grantsIssued: 0 })
    expect(await events('grant.issued')).toEqual([])
  })

  test.each([
    ['two actions', { actions: ['order.read', 'refund.create'] }],
    ['two locations', { locations: [ORDERS, STOCK] }],
    ['limits of its own', { limits: [] }],
    ['a digest without parameters', { parameter_digest: parameterDigest({}) }],
    ['an approval of its own', { approval: { id: 'a' } }],
    ['a purpose', { purpose: 'restock' }],
    ['no identifier', { identifier: undefined }],
  ])('exchange() refuses an entry with %s', async (_name, entry) => {
    const { exchange, pair, token } = await taskRig()
    expect(await exchange(pair, token, entry)).toMatchObject({
      status: 400,
      body: { error: 'invalid_authorization_details' },
    })
  })

  test('exchange() refuses what lies above the ceiling of its task', async () => {
    const { exchange, pair, token } = await taskRig(
      {},
      { ceiling: { actions: ['order.read'], resources: ['order:1'] } },
    )
    const ask = async (entry: object) => (await exchange(pair, token, entry)).body['reason']
    expect(await ask({ identifier: 'order:1' })).toBe('ceiling-exceeded')
    expect(await ask({ actions: ['order.read'], parameters: {}, identifier: 'order:12' })).toBe('ceiling-exceeded')
    expect(await ask({ actions: ['order.read'], parameters: {}, identifier: 'order:1' })).toBeUndefined()
  })

  test('exchange() refuses a resource that is not the one in the details', async () => {
    const { post, callForm, pair, token } = await taskRig()
    expect(await post('/token', { ...callForm(token), resource: STOCK }, pair)).toMatchObject({
      body: { error: 'invalid_target' },
    })
  })

  test('exchange() issues what may still be spent, and the ledger stops at the total of the task', async () => {
    const { exchange, pair, token, ledger } = await taskRig()
    const grants = await Promise.all([exchange(pair, token), exchange(pair, token)])
    const redeemed = grants.map(async ({ body }, index) =>
      ledger.redeem(redeemRequest(body.access_token, { pair, attempt: `attempt-${index}` })),
    )
    expect(await Promise.all(redeemed)).toMatchObject([{ ok: true }, { ok: false, reason: 'limit-exceeded' }])
    expect(await exchange(pair, token)).toMatchObject({
      status: 400,
      body: { error: 'access_denied', reason: 'limit-exceeded' },
    })
  })
})

describe('exchange() refuses the credential', () => {
  const subject = (change: (made: Awaited<ReturnType<typeof taskRig>>) => Promise<string> | string) => change

  test.each([
    ['rubbish', subject(() => 'rubbish')],
    ['a grant', subject(async ({ exchange, pair, token }) => (await exchange(pair, token)).body.access_token)],
    ['a caller token', subject(async ({ caller, pair }) => (await caller('orders-api', pair)).token)],
    ['a token of another broker', subject(async () => (await taskRig()).token)],
    ['a client assertion', subject(({ asClient }) => asClient('support-bot')['client_assertion'] ?? '')],
    [
      'a forged token with a known key id',
      subject(({ broker, token }) =>
        jws({ typ: 'at+jwt', alg: 'ES256', kid: broker.jwks().keys[0]?.kid }, claimsOf(token), keyPair().privateKey),
      ),
    ],
    ['a token with padding', subject(({ token }) => `${token}=`)],
  ])('exchange() refuses %s as subject token', async (_name, change) => {
    const made = await taskRig()
    const answer = await made.post('/token', made.callForm(await change(made)), made.pair)
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(answer.body).not.toHaveProperty('reason')
  })

  test.each([
    ['subject_token_type', { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    ['no subject_token_type', { subject_token_type: '' }],
    ['requested_token_type', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
  ])('exchange() refuses another %s', async (_name, extra) => {
    const { post, callForm, pair, token } = await taskRig()
    expect(await post('/token', { ...callForm(token), ...extra }, pair)).toMatchObject({
      body: { error: 'invalid_request' },
    })
  })

  test('exchange() refuses a stolen task token under another key', async () => {
    const { exchange, token, events } = await taskRig()
    expect(await exchange(keyPair(), token)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } })
    expect(await events('grant.issued')).toEqual([])
  })

  test('exchange() refuses a task token without any proof', async () => {
    const { post, callForm, token } = await taskRig()
    expect(await post('/token', callForm(token), {})).toMatchObject({ body: { error: 'invalid_dpop_proof' } })
  })

  test('exchange() gives one grant for one proof, however many race with it', async () => {
    const { post, callForm, pair, token, time } = await taskRig()
    const dpop = prove(pair, { url: `${ISSUER}/token`, iat: time.now })
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('/token', callForm(token), { dpop })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('exchange() refuses an expired task token at its very second', async () => {
    const { exchange, pair, token, time } = await taskRig({ taskTokenSeconds: 60 })
    time.now += 59.9
    expect((await exchange(pair, token)).status).toBe(200)
    time.now = START + 60
    expect(await exchange(pair, token)).toMatchObject({ body: { error: 'invalid_request' } })
  })

  test('exchange() refuses a token verified before once its signing key is gone', async () => {
    const { exchange, pair, token, broker, time, open } = await taskRig({ taskTokenSeconds: 900 })
    expect((await exchange(pair, token)).status).toBe(200)
    broker.rotateKeys()
    expect((await exchange(pair, token)).status).toBe(200)
    expect((await open(keyPair())).status).toBe(200)
    time.now += 931
    expect(await exchange(pair, token)).toMatchObject({ body: { error: 'invalid_request' } })
  })

  test('exchange() refuses a task that has ended, whatever its token says', async () => {
    const { exchange, pair, task, token, ledger } = await taskRig()
    await ledger.endTask(task.txn, 'cancelled')
    expect(await exchange(pair, token)).toMatchObject({ body: { error: 'invalid_request', reason: 'task-ended' } })
  })

  test('exchange() refuses a task of another life of the ledger', async () => {
    const keys = (await import('../token/signing-keys.ts')).generateSigningKeys()
    const before = await taskRig({ keys })
    const after = rig({ keys })
    expect(await after.exchange(before.pair, before.token)).toMatchObject({
      body: { error: 'invalid_request', reason: 'task-unknown' },
    })
  })

  const assertions: [string, (made: Awaited<ReturnType<typeof taskRig>>) => Record<string, string>][] = [
    ['another agent', ({ asClient }) => asClient('other-bot')],
    ['another audience', ({ asClient }) => asClient('support-bot', { aud: 'https://evil.test' })],
  ]
  test.each(assertions)('exchange() refuses a client assertion of %s', async (_name, credentials) => {
    const made = await taskRig()
    const answer = await made.post('/token', { ...made.callForm(made.token), ...credentials(made) }, made.pair)
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  test('exchange() refuses a client_id that is not the task’s agent', async () => {
    const { post, callForm, pair, token } = await taskRig()
    expect(await post('/token', { ...callForm(token), client_id: 'other-bot' }, pair)).toMatchObject({ status: 401 })
    expect(await post('/token', { ...callForm(token), client_id: 'support-bot' }, pair)).toMatchObject({ status: 200 })
  })
})

describe('exchange() fails closed', () => {
  const broken = (name: 'task' | 'registerGrant') => ({
    wrapLedger: (ledger: Ledger): Ledger => ({ ...ledger, [name]: () => Promise.reject(new Error('gone')) }),
  })

  test.each(['task', 'registerGrant'] as const)('exchange() answers 503 when ledger.%s() fails', async (name) => {
    const { exchange, pair, token, events } = await taskRig(broken(name))
    const { status, headers, body } = await exchange(pair, token)
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable', reason: 'ledger-unavailable' },
    })
    expect(headers.get('retry-after')).toBe('2')
    expect(await events('grant.issued')).toEqual([])
  })

  test('exchange() answers 503 when proofs cannot be remembered', async () => {
    const { exchange, pair, token } = await taskRig({
      wrapLedger: (ledger) => {
        let calls = 0
        return { ...ledger, markOnce: (key, until) => (calls++ === 0 ? ledger.markOnce(key, until) : 'full') }
      },
    })
    expect(await exchange(pair, token)).toMatchObject({ status: 503 })
  })

  test('exchange() takes an answer of the ledger that nobody knows for no answer', async () => {
    const { exchange, pair, token } = await taskRig({
      wrapLedger: (ledger) => {
        let calls = 0
        return {
          ...ledger,
          markOnce: (key, until) => (calls++ === 0 ? ledger.markOnce(key, until) : ('maybe' as 'first')),
        }
      },
    })
    expect(await exchange(pair, token)).toMatchObject({ status: 503 })
  })

  test('exchange() revokes the grant the trail did not take', async () => {
    const trail = memoryTrail()
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) => {
        if (event.type === 'grant.issued') throw new Error('disk full')
        return trail.append(event)
      },
    }
    const { exchange, pair, token, ledger } = await taskRig({ audit })
    expect(await exchange(pair, token)).toMatchObject({ status: 503, body: { reason: 'audit-unavailable' } })
    const [revoked] = await trail.events({ type: 'grant.revoked' })
    expect(await ledger.grant(revoked?.jti ?? '')).toMatchObject({ revoked: {} })
  })

  const policies: [string, object, string][] = [
    [
      'throws',
      {
        decide: () => {
          throw new Error('secret-value')
        },
      },
      'policy-failed',
    ],
    ['rejects', { decide: () => Promise.reject(new Error('secret-value')) }, 'policy-failed'],
    ['answers what nobody knows', { decide: () => ({ effect: 'allow' }) }, 'policy-failed'],
    ['knows the agent no more', { agent: () => undefined }, 'agent-unknown'],
  ]
  test.each(policies)('exchange() denies when the policy %s', async (_name, change, reason) => {
    const { policy } = await import('../../test/rig.ts')
    let isOpen = false
    const moody: typeof policy = {
      ...policy,
      agent: (id) => (isOpen && 'agent' in change ? undefined : policy.agent(id)),
      decide: (request) =>
        isOpen && 'decide' in change ? (change.decide as typeof policy.decide)(request) : policy.decide(request),
    }
    const { exchange, pair, token, trail } = await taskRig({ policy: moody })
    isOpen = true
    expect(await exchange(pair, token)).toMatchObject({ status: 400, body: { error: 'access_denied', reason } })
    expect(trail.lines().join('')).not.toContain('secret-value')
  })

  test('exchange() denies when posture cannot be had', async () => {
    const { exchange, pair, token } = await taskRig({ posture: () => Promise.reject(new Error('mdm is down')) })
    expect(await exchange(pair, token)).toMatchObject({ body: { error: 'access_denied', reason: 'policy-failed' } })
  })
})
