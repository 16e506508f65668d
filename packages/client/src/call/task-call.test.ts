import { describe, expect, test } from 'vitest'
import type { CallOutcome } from './call-outcome.ts'
import { changed, desk, task } from '../../test/desk.ts'

const refund = { resource: 'order:123', parameters: { amount: '42.00' } } as const
const exchanges = (to: ReturnType<typeof desk>['to']) =>
  to('/token').filter(({ body }) => body.includes('token-exchange'))

describe('task.call()', () => {
  test.each([
    ['what no rule permits', { resource: 'order:1', parameters: { amount: '60.00' } }, 'no-rule-matched'],
    ['what needs approval', { resource: 'order:1', parameters: { amount: '500.00' } }, 'approval-required'],
    ['a value that is no amount', { resource: 'order:1', parameters: { amount: '1e3' } }, 'parameters-invalid'],
    ['a missing parameter', { resource: 'order:1', parameters: {} }, 'parameters-invalid'],
    [
      'an unknown parameter',
      { resource: 'order:1', parameters: { amount: '1.00', currency: 'EUR' } },
      'parameters-invalid',
    ],
    ['another kind of resource', { resource: 'user:1', parameters: { amount: '1.00' } }, 'resource-mismatch'],
    [
      'a resource that leaves its path',
      { resource: 'order:../users', parameters: { amount: '1.00' } },
      'resource-mismatch',
    ],
    ['an empty resource', { resource: 'order:', parameters: { amount: '1.00' } }, 'resource-mismatch'],
    ['parameters that are not JSON', { resource: 'order:1', parameters: { amount: 1n } }, 'parameters-invalid'],
  ])('task.call() refuses %s', async (_name, input, reason) => {
    const { client, world } = desk()
    const outcome = await client.task(task, (task) => task.call('refund.create', input as typeof refund))
    expect(outcome).toMatchObject({ ok: false, reason, retryable: false })
    expect(world.handled).toEqual([])
  })

  test('task.call() names the parameters that are wrong, and none of their values', async () => {
    const { client } = desk()
    const parameters = { amount: 'SECRET-VALUE', note: 7 } as unknown as { amount: string }
    const outcome = await client.task(task, (task) => task.call('refund.create', { resource: 'order:1', parameters }))
    expect(outcome).toMatchObject({ message: expect.stringContaining('Check these parameters: amount, note.') })
    expect(JSON.stringify(outcome)).not.toContain('SECRET-VALUE')
  })

  test('task.call() carries the event of a refusal, so that the trail explains it', async () => {
    const { client, world } = desk()
    const outcome = await client.task(task, (task) =>
      task.call('refund.create', { resource: 'order:1', parameters: { amount: '60.00' } }),
    )
    const event = 'event' in outcome ? outcome.event : undefined
    expect((await world.events()).find(({ id }) => id === event)).toMatchObject({
      type: 'grant.refused',
      reason: 'no-rule-matched',
    })
  })

  test.each(['no.such.action', '__proto__', 'report.write'])('task.call() throws for the action %s', async (name) => {
    const { client } = desk()
    const running = client.task(task, (task) => task.call(name as 'order.read', { resource: 'order:1' }))
    await expect(running).rejects.toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test('task.call() reuses a grant that has uses left and covers the call, and asks anew when it is spent', async () => {
    const { client, to, world } = desk()
    const left = await client.task(task, async (task) => {
      const outcomes: CallOutcome[] = []
      for (const id of ['1', '2', '3', '4']) outcomes.push(await task.call('order.read', { resource: `order:${id}` }))
      return outcomes.map((outcome) =>
        outcome.ok ? [outcome.grant.resource, outcome.grant.callsLeft] : outcome.reason,
      )
    })
    expect(left).toEqual([
      ['order:*', 2],
      ['order:*', 1],
      ['order:*', 0],
      ['order:*', 2],
    ])
    expect(exchanges(to)).toHaveLength(2)
    expect(world.handled).toHaveLength(4)
  })

  test('task.call() never takes the last use of a grant twice, however many calls run at once', async () => {
    const { client, to, world } = desk()
    const outcomes = await client.task(task, async (task) => {
      await task.call('order.read', { resource: 'order:1' })
      const ids = Array.from({ length: 7 }, (_, index) => `order:${index}` as const)
      return Promise.all(ids.map((resource) => task.call('order.read', { resource })))
    })
    expect(outcomes).toMatchObject(Array.from({ length: 7 }, () => ({ ok: true })))
    expect(world.handled).toHaveLength(8)
    expect(exchanges(to).length).toBeGreaterThanOrEqual(3)
  })

  test('task.call() counts totals of a grant, and does not stretch one over its constraint', async () => {
    const { client, to } = desk()
    await client.task(task, async (task) => {
      await task.call('stock.reserve', { resource: 'stock:mug', parameters: { quantity: '2' } })
      return task.call('stock.reserve', { resource: 'stock:mug', parameters: { quantity: '3' } })
    })
    expect(exchanges(to)).toHaveLength(1)
  })

  test('task.call() never uses a grant of another task', async () => {
    const { client, to } = desk()
    for (const _ of [1, 2]) await client.task(task, (task) => task.call('order.read', { resource: 'order:1' }))
    expect(exchanges(to)).toHaveLength(2)
  })

  test('task.call() does not present a grant at its expiry less skew, and asks for a new one', async () => {
    const { client, to, world } = desk()
    await client.task(task, async (task) => {
      await task.call('order.read', { resource: 'order:1' })
      world.clock.advance(54.9)
      await task.call('order.read', { resource: 'order:1' })
      expect(exchanges(to)).toHaveLength(1)
      world.clock.advance(0.1)
      return task.call('order.read', { resource: 'order:1' })
    })
    expect(exchanges(to)).toHaveLength(2)
  })

  test('task.call() is not led to present an expired grant by a clock that is turned back', async () => {
    const { client, to, world } = desk()
    await client.task(task, async (task) => {
      await task.call('order.read', { resource: 'order:1' })
      world.clock.advance(56)
      await task.call('refund.create', refund)
      world.clock.advance(-30)
      return task.call('order.read', { resource: 'order:1' })
    })
    const [first, ...later] = to('/orders/1').map(({ headers }) => headers.get('authorization'))
    expect(later.length).toBeGreaterThan(0)
    expect(later).not.toContain(first)
  })

  test('task.call() asks once more after a token the API does not know, and sends the same call again', async () => {
    const { client, to, setTap, world } = desk()
    let unknown = true
    setTap((request, next) => {
      if (!request.url.includes('/refund') || !unknown) return next(request)
      unknown = false
      return Promise.resolve(problem(401, 'grant-invalid'))
    })
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    expect(outcome).toMatchObject({ ok: true })
    expect(exchanges(to)).toHaveLength(2)
    const keys = to('/orders/123/refund').map(({ headers }) => headers.get('idempotency-key'))
    expect(keys).toHaveLength(2)
    expect(keys[0]).toBe(keys[1])
    expect(world.handled).toHaveLength(1)
  })

  test('task.call() does not loop when the API knows no token at all', async () => {
    const { client, to, setTap } = desk()
    setTap((request, next) =>
      request.url.includes('/refund') ? Promise.resolve(problem(401, 'grant-invalid')) : next(request),
    )
    expect(await client.task(task, (task) => task.call('refund.create', refund))).toMatchObject({
      ok: false,
      reason: 'token-expired',
    })
    expect(exchanges(to)).toHaveLength(2)
    expect(to('/orders/123/refund')).toHaveLength(2)
  })

  test.each([
    ['grant-exhausted', 'grant-exhausted'],
    ['grant-revoked', 'grant-revoked'],
    ['proof-invalid', 'proof-malformed'],
    ['binding-failed', 'binding-failed'],
    ['not-granted', 'resource-mismatch'],
    ['something-new', 'action-mismatch'],
  ])('task.call() does not ask again after %s', async (type, reason) => {
    const { client, to, setTap } = desk()
    setTap((request, next) => (request.url.includes('/refund') ? Promise.resolve(problem(401, type)) : next(request)))
    expect(await client.task(task, (task) => task.call('refund.create', refund))).toMatchObject({ ok: false, reason })
    expect(exchanges(to)).toHaveLength(1)
    expect(to('/orders/123/refund')).toHaveLength(1)
  })

  test('task.call() knows the challenge of another verifier by its error', async () => {
    const { client, setTap } = desk()
    const headers = { 'www-authenticate': 'DPoP error="insufficient_scope", algs="ES256"' }
    setTap((request, next) =>
      request.url.includes('/refund') ? Promise.resolve(new Response('no', { status: 403, headers })) : next(request),
    )
    expect(await client.task(task, (task) => task.call('refund.create', refund))).toMatchObject({
      ok: false,
      reason: 'resource-mismatch',
    })
  })

  test.each([
    [404, 'application/problem+json', '{"type":"urn:orders:not-found","title":"No such order"}'],
    [404, 'application/problem+json', `{"type":"about:blank","detail":"${'x'.repeat(20_000)}"}`],
    [400, 'application/problem+json', 'no JSON'],
    [422, 'application/json', '{"error":"closed"}'],
    [500, 'text/plain', 'oops'],
    [302, 'text/plain', ''],
  ])("task.call() hands on the API's own %i", async (status, contentType, body) => {
    const { client, world } = desk()
    world.handle('refund.create', () => new Response(body, { status, headers: { 'content-type': contentType } }))
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    const response = 'response' in outcome ? outcome.response : undefined
    expect(response?.status).toBe(status)
    expect(await response?.text()).toBe(body)
  })

  test('task.call() does not follow a redirect with the credential', async () => {
    const { client, setTap, sent } = desk()
    setTap((request, next) =>
      request.url.includes('/refund') ? Promise.resolve(Response.redirect('https://evil.test/', 307)) : next(request),
    )
    await client.task(task, (task) => task.call('refund.create', refund))
    expect(sent.filter(({ url }) => url.startsWith('https://evil.test'))).toEqual([])
  })

  test('task.call() leaves a response readable after its task is over', async () => {
    const { client } = desk()
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    const body: unknown = 'response' in outcome ? await outcome.response.json() : undefined
    expect(body).toMatchObject({ done: 'refund.create' })
  })

  test('task.call() says that the end is not known when the API gives no answer', async () => {
    const { client, setTap } = desk({ apiTimeoutMs: 5 })
    setTap((request, next) => (request.url.includes('/refund') ? new Promise(() => {}) : next(request)))
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    expect(outcome).toMatchObject({ ok: false, reason: 'api-unavailable', retryable: true })
    expect(outcome).toMatchObject({ message: expect.stringContaining('not known whether') })
  })

  test('task.call() with the same call id is the same use, though the answer was lost', async () => {
    const { client, setTap, to, world } = desk()
    let lost = true
    setTap(async (request, next) => {
      const response = await next(request)
      if (!request.url.includes('/refund') || !lost) return response
      lost = false
      throw new TypeError('connection reset')
    })
    const outcome = await client.task(task, async (task) => {
      const first = await task.call('refund.create', { ...refund, callId: 'call-7' })
      expect(first).toMatchObject({ ok: false, reason: 'api-unavailable', callId: 'call-7' })
      return task.call('refund.create', { ...refund, callId: 'call-7' })
    })
    expect(outcome).toMatchObject({ ok: true })
    expect(exchanges(to)).toHaveLength(1)
    expect(world.handled).toHaveLength(1)
  })

  test('task.call() rejects with the reason of its own signal, and leaves the task open', async () => {
    const { client, setTap } = desk()
    const stop = new AbortController()
    setTap((request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      stop.abort(new Error('enough'))
      return new Promise(() => {})
    })
    const still = await client.task(task, async (task) => {
      await expect(task.call('refund.create', { ...refund, signal: stop.signal })).rejects.toThrow('enough')
      return task.over.aborted
    })
    expect(still).toBe(false)
  })

  test('task.call() puts the query under its proof as it is sent', async () => {
    const { client, world, to } = desk()
    const parameters = { search: "it's 100% *odd* & (new) ÿ", page: '2' }
    const outcome = await client.task(task, (task) => task.call('order.lines', { resource: 'order:1', parameters }))
    expect(outcome).toMatchObject({ ok: true })
    expect(world.handled[0]?.grant.parameters).toEqual(parameters)
    expect(to('/orders/1/lines')[0]?.headers.get('idempotency-key')).toBeNull()
  })

  test.each(['a b', 'ü', 'x'.repeat(500), 'call "1"', 'a\nb'])(
    'task.call() takes any text as a call id',
    async (callId) => {
      const { client, to, world } = desk()
      const outcome = await client.task(task, (task) => task.call('refund.create', { ...refund, callId }))
      expect(outcome).toMatchObject({ ok: true })
      expect(to('/orders/123/refund')[0]?.headers.get('idempotency-key')).toMatch(/^"call_[\w-]{43}"$/)
      expect(world.handled).toHaveLength(1)
    },
  )
})

describe('calls joined by their id', () => {
  test('two at once are one call with two answers', async () => {
    const { client, world } = desk()
    const bodies = await client.task(task, async (task) => {
      const calls = [1, 2, 3].map(() => task.call('refund.create', { ...refund, callId: 'call-1' }))
      const outcomes = await Promise.all(calls)
      return Promise.all(outcomes.map(async (outcome) => (outcome.ok ? outcome.response.json() : outcome.reason)))
    })
    expect(bodies).toMatchObject([{ done: 'refund.create' }, { done: 'refund.create' }, { done: 'refund.create' }])
    expect(world.handled).toHaveLength(1)
  })

  test('the same call without an id is two calls', async () => {
    const { client, world } = desk()
    await client.task(task, (task) =>
      Promise.all(
        [1, 2].map(() => task.call('refund.create', { resource: 'order:1', parameters: { amount: '1.00' } })),
      ),
    )
    expect(world.handled).toHaveLength(2)
  })

  test('another call under the same id is refused', async () => {
    const { client, world } = desk()
    const outcomes = await client.task(task, (task) =>
      Promise.all([
        task.call('refund.create', { ...refund, callId: 'call-1' }),
        task.call('refund.create', { ...refund, resource: 'order:999', callId: 'call-1' }),
      ]),
    )
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, reason: 'idempotency-conflict' }])
    expect(world.handled).toHaveLength(1)
  })

  test('one that gives up does not take the call from the other', async () => {
    const { client } = desk()
    const stop = new AbortController()
    const second = await client.task(task, async (task) => {
      const first = task.call('refund.create', { ...refund, callId: 'call-1' })
      const joined = task.call('refund.create', { ...refund, callId: 'call-1', signal: stop.signal })
      stop.abort(new Error('enough'))
      await expect(joined).rejects.toThrow('enough')
      return first
    })
    expect(second).toMatchObject({ ok: true })
  })

  test('when the owner gives up, the other is told that the end is not known', async () => {
    const { client, setTap } = desk()
    const stop = new AbortController()
    setTap((request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      stop.abort(new Error('enough'))
      return new Promise(() => {})
    })
    const joined = await client.task(task, async (task) => {
      const first = task.call('refund.create', { ...refund, callId: 'call-1', signal: stop.signal })
      const second = task.call('refund.create', { ...refund, callId: 'call-1' })
      await expect(first).rejects.toThrow('enough')
      return second
    })
    expect(joined).toMatchObject({ ok: false, reason: 'api-unavailable' })
  })
})

describe('nonces', () => {
  test('a nonce that is asked for is given once, and every newer one is taken', async () => {
    const { client, world, to } = desk({ nonces: true })
    const outcome = await client.task(task, async (task) => {
      const first = await task.call('refund.create', refund)
      world.clock.advance(20)
      await task.call('order.read', { resource: 'order:1' })
      return first
    })
    expect(outcome).toMatchObject({ ok: true })
    expect(to('/orders/123/refund')).toHaveLength(2)
    expect(to('/orders/1')).toHaveLength(1)
    expect(world.handled).toHaveLength(2)
  })

  test('a server that asks for a nonce again and again is not followed', async () => {
    const { client, setTap, to } = desk()
    const headers = { 'content-type': 'application/problem+json', 'dpop-nonce': 'again' }
    const body = JSON.stringify({ type: 'urn:hallpass:problem:nonce-required' })
    setTap((request, next) =>
      request.url.includes('/refund') ? Promise.resolve(new Response(body, { status: 401, headers })) : next(request),
    )
    expect(await client.task(task, (task) => task.call('refund.create', refund))).toMatchObject({
      ok: false,
      reason: 'proof-nonce',
    })
    expect(to('/orders/123/refund')).toHaveLength(2)
  })
})

describe('the answers of the broker', () => {
  const forged: [string, Record<string, unknown>][] = [
    ['a bearer token', { token_type: 'Bearer' }],
    ['no token type', { token_type: undefined }],
    ['a token bound to another key', { cnf: { jkt: 'A'.repeat(43) } }],
    ['a token bound to none', { cnf: undefined }],
    ['another kind of token', { issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['no kind of token', { issued_token_type: undefined }],
    ['an endless life', { expires_in: 1e9 }],
    ['no life', { expires_in: 0 }],
    ['a life that is text', { expires_in: '30' }],
    ['a token that is no JWS', { access_token: 'a b' }],
    ['a token that splits a header', { access_token: 'a.b.c\r\nx: y' }],
    ['a token that is too long', { access_token: `a.b.${'c'.repeat(9000)}` }],
    ['no details', { authorization_details: undefined }],
    ['two entries', { authorization_details: [{}, {}] }],
    ['an entry with a stranger', { authorization_details: [{ type: 'urn:hallpass:tool-call', power: 'all' }] }],
  ]
  test.each(forged)('%s is not taken', async (_name, members) => {
    const { client, setTap, sent } = desk()
    setTap(async (request, next) => {
      const isExchange = (await request.clone().text()).includes('token-exchange')
      const response = await next(request)
      return isExchange ? changed(response, members) : response
    })
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-answer-invalid' })
    expect(sent.filter(({ url }) => url.startsWith('https://orders.test'))).toEqual([])
  })

  test.each<[string, Record<string, unknown>]>([
    ['another action', { actions: ['order.cancel'] }],
    ['another audience', { locations: ['https://stock.test/v1'] }],
    ['another resource', { identifier: 'order:999' }],
    ['other parameters', { parameter_digest: `sha-256:${'A'.repeat(43)}` }],
    [
      'parameters left open by a word nobody knows',
      { parameter_digest: undefined, constraints: { amount: { about: '1' } } },
    ],
  ])('a grant for %s is not taken', async (_name, members) => {
    const { client, setTap, sent } = desk()
    setTap(async (request, next) => {
      const isExchange = (await request.clone().text()).includes('token-exchange')
      const response = await next(request)
      if (!isExchange) return response
      const body = (await response.clone().json()) as { authorization_details: Record<string, unknown>[] }
      return changed(response, { authorization_details: [{ ...body.authorization_details[0], ...members }] })
    })
    const outcome = await client.task(task, (task) => task.call('refund.create', refund))
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-answer-invalid' })
    expect(sent.filter(({ url }) => url.startsWith('https://orders.test'))).toEqual([])
  })
})

function problem(status: number, type: string): Response {
  const body = JSON.stringify({ type: `urn:hallpass:problem:${type}`, title: 'no', status, event: 'ev_1' })
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json' } })
}
