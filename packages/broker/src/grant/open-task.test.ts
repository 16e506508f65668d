import { HallpassError, memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { assertion, keyPair, prove } from '../../test/holder.ts'
import { claimsOf, ISSUER, ORDERS, rig, START, workloads } from '../../test/rig.ts'

describe('openTask()', () => {
  test.each([
    ['an unknown purpose', { purpose: 'world-peace' }, { error: 'access_denied', reason: 'purpose-unknown' }],
    [
      'a purpose of another agent',
      { purpose: 'restock', ceiling: { actions: ['order.read', 'nonsense'] } },
      { error: 'invalid_authorization_details', reason: 'details-invalid' },
    ],
    [
      'a ceiling of an unknown kind',
      { ceiling: { resources: ['planet:1'] } },
      { error: 'invalid_authorization_details', reason: 'details-invalid' },
    ],
    [
      'a deadline that is over',
      { deadline: START },
      { error: 'invalid_authorization_details', reason: 'task-expired' },
    ],
  ])('openTask() refuses %s, by an event of its own', async (_name, entry, told) => {
    const { open, events } = rig()
    const { status, body } = await open(keyPair(), entry)
    expect({ status, body }).toMatchObject({ status: 400, body: told })
    expect(await events('task.refused')).toMatchObject([
      { id: body.event, reason: told.reason, client_id: 'support-bot' },
    ])
    expect(await events('task.opened')).toEqual([])
  })

  test.each([
    ['no JSON', 'rubbish'],
    ['an object', '{}'],
    ['no entry', '[]'],
    [
      'two entries',
      JSON.stringify([
        { type: 'urn:hallpass:task', purpose: 'a' },
        { type: 'urn:hallpass:task', purpose: 'a' },
      ]),
    ],
    ['an unknown type', JSON.stringify([{ type: 'urn:other', purpose: 'support-ticket' }])],
    ['an unknown member', JSON.stringify([{ type: 'urn:hallpass:task', purpose: 'support-ticket', admin: true }])],
    ['a repeated member', '[{"type":"urn:hallpass:task","purpose":"support-ticket","purpose":"restock"}]'],
    ['a prototype', '[{"type":"urn:hallpass:task","purpose":"support-ticket","__proto__":{"x":1}}]'],
    [
      'a note without end',
      JSON.stringify([{ type: 'urn:hallpass:task', purpose: 'support-ticket', note: 'x'.repeat(257) }]),
    ],
    [
      'a renewal with more than its task',
      JSON.stringify([{ type: 'urn:hallpass:task', txn: 'tsk_x', purpose: 'support-ticket' }]),
    ],
  ])('openTask() refuses details with %s before it looks at anything else', async (_name, details) => {
    const { taskForm, post, events } = rig()
    const { status, body } = await post('/token', { ...taskForm(), authorization_details: details }, keyPair())
    expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_authorization_details' } })
    expect(body).not.toHaveProperty('reason')
    expect(await events('task.refused')).toEqual([])
  })

  test('openTask() narrows the deadline to what the agent may have, and says so', async () => {
    const { open, ledger } = rig()
    const { body } = await open(keyPair(), { deadline: START + 100_000 })
    expect(body['authorization_details']).toMatchObject([{ deadline: START + 600 }])
    expect(await ledger.task(body.txn)).toMatchObject({ deadline: START + 600 })
  })

  test('openTask() opens no more tasks than the agent may have, over all its keys', async () => {
    const { open } = rig()
    const opened = await Promise.all(Array.from({ length: 8 }, () => open(keyPair())))
    expect(opened.filter(({ status }) => status === 200)).toHaveLength(3)
    const refused = opened.filter(({ status }) => status !== 200).map(({ body }) => body['reason'])
    expect(new Set(refused)).toEqual(new Set(['too-many-open-tasks']))
  })

  test('openTask() makes room again when a task runs out', async () => {
    const { open, time } = rig()
    await Promise.all(Array.from({ length: 3 }, () => open(keyPair(), { deadline: START + 10 })))
    time.now += 11
    expect((await open(keyPair())).status).toBe(200)
  })

  test('openTask() refuses the same proof a second time', async () => {
    const { taskForm, post, time } = rig()
    const pair = keyPair()
    const dpop = prove(pair, { url: `${ISSUER}/token`, iat: time.now })
    expect((await post('/token', taskForm(), { dpop })).status).toBe(200)
    expect(await post('/token', taskForm(), { dpop })).toMatchObject({
      status: 400,
      body: { error: 'invalid_dpop_proof' },
    })
  })

  test('openTask() refuses a copied assertion under another key, by an event of its own that tells the thief nothing', async () => {
    const { taskForm, post, events } = rig()
    const form = taskForm()
    const [own, thief] = [keyPair(), keyPair()]
    expect((await post('/token', form, own)).status).toBe(200)
    expect((await post('/token', form, own)).status).toBe(200)
    const { status, body } = await post('/token', form, thief)
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' })
    expect(body).not.toHaveProperty('reason')
    expect(await events('task.refused')).toMatchObject([
      { id: body.event, reason: 'too-many-keys', jkt: thief.jkt, client_id: 'support-bot' },
    ])
  })

  test('openTask() does not let two racing keys share one assertion', async () => {
    const { taskForm, post } = rig()
    const form = taskForm()
    const answers = await Promise.all(Array.from({ length: 6 }, () => post('/token', form, keyPair())))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test.each([
    ['no assertion', () => ({})],
    ['half an assertion', (form: Record<string, string>) => ({ client_assertion: form['client_assertion'] ?? '' })],
    ['a client secret', (form: Record<string, string>) => ({ ...form, client_secret: 'x' })],
    [
      'an agent nobody registered',
      () => ({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(keyPair(), { sub: 'nobody', aud: ISSUER, now: START }),
      }),
    ],
    [
      'the key of somebody else',
      () => ({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(workloads['other-bot'], { sub: 'support-bot', aud: ISSUER, now: START }),
      }),
    ],
    ['another client_id', (form: Record<string, string>) => ({ ...form, client_id: 'other-bot' })],
  ])('openTask() answers %s with the one message there is', async (_name, change) => {
    const { taskForm, post, events, broker } = rig()
    const { grant_type, resource, authorization_details, ...credentials } = taskForm()
    const form = { grant_type, resource, authorization_details, ...change(credentials) } as Record<string, string>
    const { status, body } = await post('/token', form, keyPair())
    expect(status).toBe(401)
    expect(body).toEqual({
      error: 'invalid_client',
      error_description: 'Client authentication failed',
      event: body.event,
    })
    expect(await events('traffic.refused')).toEqual([])
    await broker.close()
    expect(await events('traffic.refused')).toMatchObject([{ id: body.event, count: 1 }])
  })

  test('openTask() refuses a second way of authentication', async () => {
    const { taskForm, post, time } = rig()
    const dpop = prove(keyPair(), { url: `${ISSUER}/token`, iat: time.now })
    expect(await post('/token', taskForm(), { dpop, authorization: 'Basic Zm9vOmJhcg==' })).toMatchObject({
      status: 401,
    })
  })

  test.each([
    ['scope', { scope: 'all' }],
    ['audience', { audience: ORDERS }],
    ['an actor token', { actor_token: 'x', actor_token_type: 'y' }],
    ['half a subject token', { subject_token: 'x' }],
  ])('openTask() refuses a request with %s', async (_name, extra) => {
    const { taskForm, post } = rig()
    expect(await post('/token', { ...taskForm(), ...extra }, keyPair())).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
  })

  test.each([
    ['another API', ORDERS],
    ['an unknown place', 'https://evil.test'],
    ['the broker with a slash', `${ISSUER}/`],
  ])('openTask() refuses a resource that is %s', async (_name, resource) => {
    const { taskForm, post } = rig()
    expect(await post('/token', { ...taskForm(), resource }, keyPair())).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    })
  })

  test('openTask() refuses repeated and missing parameters', async () => {
    const { taskForm, post } = rig()
    const form = new URLSearchParams(taskForm()).toString()
    expect(await post('/token', `${form}&resource=${encodeURIComponent(ISSUER)}`, keyPair())).toMatchObject({
      body: { error: 'invalid_request' },
    })
    expect(await post('/token', { ...taskForm(), resource: '' }, keyPair())).toMatchObject({
      body: { error: 'invalid_request' },
    })
    expect(await post('/token', { ...taskForm(), grant_type: '' }, keyPair())).toMatchObject({
      body: { error: 'invalid_request' },
    })
    expect(await post('/token', { ...taskForm(), grant_type: 'password' }, keyPair())).toMatchObject({
      body: { error: 'unsupported_grant_type' },
    })
  })

  test.each([
    ['no proof', () => ({})],
    [
      'two proofs',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: `${prove(pair, wish)}, ${prove(pair, wish)}`,
      }),
    ],
    [
      'a proof for another URL',
      (pair: ReturnType<typeof keyPair>) => ({ dpop: prove(pair, { url: `${ISSUER}/revoke`, iat: START }) }),
    ],
    [
      'a proof for another method',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: prove(pair, { ...wish, method: 'GET' }),
      }),
    ],
    [
      'an old proof',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: prove(pair, { ...wish, iat: START - 61 }),
      }),
    ],
    [
      'a proof from the future',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: prove(pair, { ...wish, iat: START + 6 }),
      }),
    ],
    [
      'a proof over another body',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: prove(pair, { ...wish, body: 'other' }),
      }),
    ],
    [
      'a proof whose key is not the signer',
      (pair: ReturnType<typeof keyPair>, wish: { url: string; iat: number }) => ({
        dpop: prove({ ...pair, privateKey: keyPair().privateKey }, wish),
      }),
    ],
  ])('openTask() refuses %s', async (_name, headers) => {
    const { taskForm, post, time } = rig()
    const answer = await post('/token', taskForm(), headers(keyPair(), { url: `${ISSUER}/token`, iat: time.now }))
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } })
    expect(answer.body).not.toHaveProperty('reason')
  })

  test('openTask() takes a proof that covers the body as sent', async () => {
    const { taskForm, post, time } = rig()
    const form = new URLSearchParams(taskForm()).toString()
    const dpop = prove(keyPair(), { url: `${ISSUER}/token`, iat: time.now, body: form })
    expect((await post('/token', form, { dpop })).status).toBe(200)
  })

  test('openTask() lets nothing out that the trail did not take, and leaves no task open', async () => {
    const trail = memoryTrail()
    const { open, ledger } = rig({
      audit: {
        ...trail,
        append: (event) =>
          event.type === 'task.opened' ? Promise.reject(new Error('disk full')) : trail.append(event),
      },
    })
    const { status, headers, body } = await open(keyPair())
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable', reason: 'audit-unavailable' },
    })
    expect(headers.get('retry-after')).not.toBeNull()
    const [ended] = await trail.events({ type: 'task.ended' })
    expect(await ledger.task(ended?.txn ?? '')).toMatchObject({ end: { how: 'failed' } })
  })

  test('openTask() answers a ledger that throws with 503', async () => {
    const { open } = rig({
      wrapLedger: (ledger) => ({
        ...ledger,
        openTask: () => {
          throw new Error('connection lost')
        },
      }),
    })
    expect(await open(keyPair())).toMatchObject({ status: 503, body: { reason: 'ledger-unavailable' } })
  })

  test('openTask() answers a signer that fails with 503 and leaves no task open', async () => {
    const { generateSigner } = await import('../token/signer.ts')
    const { signingKeys } = await import('../token/signing-keys.ts')
    const keys = signingKeys({
      current: { ...generateSigner(), sign: () => Promise.reject(new HallpassError('key-unavailable', 'HSM is gone')) },
    })
    const { open, events } = rig({ keys })
    expect(await open(keyPair())).toMatchObject({ status: 503, body: { reason: 'keys-unavailable' } })
    expect(await events('task.ended')).toMatchObject([{ reason: 'failed' }])
  })

  test('openTask() gives nothing to an agent that is stopped', async () => {
    const { open, broker } = rig()
    await broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'odd')
    expect(await open(keyPair())).toMatchObject({
      status: 400,
      body: { error: 'access_denied', reason: 'agent-revoked' },
    })
  })

  test('openTask() puts the claims of the workload into the token, but none of the assertion', async () => {
    const { post, taskForm, asClient } = rig()
    const form = { ...taskForm(), ...asClient('support-bot', { region: 'eu' }) }
    const { body } = await post('/token', form, keyPair())
    expect(claimsOf(body.access_token)['urn:hallpass:identity']).toEqual({
      iss: 'support-bot',
      sub: 'support-bot',
      claims: { region: 'eu' },
    })
  })

  test('openTask() refuses a workload whose claims do not fit a token', async () => {
    const { post, taskForm, asClient } = rig()
    const form = { ...taskForm(), ...asClient('support-bot', { filler: 'x'.repeat(5500) }) }
    expect(await post('/token', form, keyPair())).toMatchObject({
      status: 400,
      body: { error: 'invalid_authorization_details' },
    })
  })
})
