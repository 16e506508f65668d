import { HallpassError } from '@hallpass/core'
import { afterEach, describe, expect, test } from 'vitest'
import { SECRET, closeAll, extAuthzRig } from '../../test/ext-authz-rig.ts'
import { sendRaw } from '../../test/raw-request.ts'
import { extAuthz } from './ext-authz.ts'

afterEach(closeAll)

const REFUND = {
  action: 'refund.create',
  method: 'POST',
  target: '/orders/123/refund',
  parameters: { amount: '42.00' },
  body: '{"amount":"42.00"}',
}
const envoy = { pathPrefix: '/envoy', withRequestBody: true } as const
const JSON_TYPE = ['content-type', 'application/json']

describe('extAuthz() for Envoy', () => {
  const check = async (change: { target?: string; method?: string; body?: string; headers?: string[] } = {}) => {
    const rig = await extAuthzRig({ envoy })
    const headers = [...(await rig.credentials(REFUND)), ...JSON_TYPE, ...(change.headers ?? [])]
    const { method = 'POST', target = REFUND.target, body = REFUND.body } = change
    const send = () => sendRaw(rig.port, { method, target: `/envoy${target}`, headers, body: body || undefined })
    return { ...rig, send, reply: await send() }
  }

  test('allows a covered call once and names the grant to the upstream', async () => {
    const { reply, send, audit } = await check()
    expect(reply).toMatchObject({
      status: 200,
      headers: {
        'hallpass-agent': 'support-bot',
        'hallpass-owner': 'team:support',
        'hallpass-task': 'tsk_1',
        'hallpass-action': 'refund.create',
        'hallpass-resource': 'order:123',
      },
    })
    const events = await audit.events()
    expect(events.map(({ type, status }) => ({ type, status }))).toEqual([
      { type: 'use.started' },
      { type: 'use.ended', status: 202 },
    ])
    expect(reply.headers['hallpass-event']).toBe(events[0]?.id)
    const again = await send()
    expect([again.status, again.headers['hallpass-grant']]).toEqual([401, undefined])
  })

  test.each([
    ['another order', { target: '/orders/124/refund' }, 401],
    ['another method on the same path', { method: 'PUT' }, 403],
    ['a path of no action', { target: '/admin' }, 403],
    ['a body other than the proven one', { body: '{"amount":"99.00"}' }, 401],
    ['a body that did not come along', { body: '' }, 401],
    ['an upgrade, of which Envoy shows no body', { headers: ['upgrade', 'websocket'] }, 400],
    ['a body that came in part', { headers: ['x-envoy-auth-partial-body', 'true'] }, 400],
    ['a doubled slash', { target: '//orders/123/refund' }, 400],
    ['a dot segment', { target: '/orders/./123/refund' }, 400],
    ['a parent segment', { target: '/orders/x/../123/refund' }, 400],
    ['an encoded parent segment', { target: '/orders/x/%2e%2e/123/refund' }, 400],
    ['an encoded slash', { target: '/orders/123%2Frefund' }, 400],
    ['a backslash', { target: '/orders\\123/refund' }, 400],
    ['a path parameter', { target: '/orders/123;v=1/refund' }, 400],
    ['a double encoding', { target: '/orders/%25313/refund' }, 400],
    ['a query beside the body', { target: '/orders/123/refund?amount=1.00' }, 400],
    ['an absolute target', { target: 'http://orders.example/orders/123/refund' }, 404],
  ])('refuses %s', async (_name, change, status) => {
    const { reply, audit } = await check(change)
    expect(reply.status).toBe(status)
    expect(reply.headers['hallpass-grant']).toBeUndefined()
    expect((await audit.events()).filter(({ type }) => type === 'use.started')).toEqual([])
  })
})

describe('extAuthz() for nginx', () => {
  const ask = async (fields: string[], target = '/nginx') => {
    const rig = await extAuthzRig({ nginx: { path: '/nginx' } })
    const headers = [...(await rig.credentials({ target: '/orders/123' })), ...fields]
    return sendRaw(rig.port, { target, headers })
  }
  const METHOD = ['x-original-method', 'GET']
  const URI = ['x-original-uri', '/orders/123']

  test('allows a covered call', async () => {
    expect(await ask([...METHOD, ...URI])).toMatchObject({
      status: 200,
      headers: { 'hallpass-resource': 'order:123' },
    })
  })

  test.each([
    ['another order', [...METHOD, 'x-original-uri', '/orders/124'], 401],
    ['a method with a body', ['x-original-method', 'POST', ...URI], 403],
    ['a request that has a body', [...METHOD, ...URI, 'content-length', '2'], 403],
    ['no path', METHOD, 403],
    ['no method', URI, 403],
    ['two paths', [...METHOD, ...URI, ...URI], 403],
    ['a path of no action', [...METHOD, 'x-original-uri', '/admin'], 403],
    ['a path that can be read in two ways', [...METHOD, 'x-original-uri', '/orders//123'], 403],
  ])('refuses %s', async (_name, fields, status) => {
    const { headers, ...reply } = await ask(fields)
    expect([reply.status, headers['hallpass-grant']]).toEqual([status, undefined])
  })

  test('is asked at its own path only', async () => {
    expect((await ask([...METHOD, ...URI], '/nginx/')).status).toBe(404)
  })
})

describe('extAuthz() for a backend in another language', () => {
  const rigged = async (secret = SECRET) => {
    const rig = await extAuthzRig({ verify: { secret: SECRET } })
    const post = async (path: string, body: object) =>
      sendRaw(rig.port, {
        method: 'POST',
        target: path,
        headers: ['authorization', `Bearer ${secret}`, ...JSON_TYPE],
        body: JSON.stringify(body),
      })
    const pairs = async () => {
      const flat = [...(await rig.credentials(REFUND)), ...JSON_TYPE]
      return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]]] : []))
    }
    const described = async () => ({
      method: 'POST',
      target: REFUND.target,
      headers: await pairs(),
      body: Buffer.from(REFUND.body).toString('base64'),
    })
    return { ...rig, post, described }
  }

  test('tells what may be relied on, and takes the outcome', async () => {
    const { post, described, audit } = await rigged()
    const { json } = await post('/verify', await described())
    expect(json).toMatchObject({
      allowed: true,
      grant: { agent: 'support-bot', resource: 'order:123', parameters: { amount: '42.00' }, uses_left: 0 },
    })
    expect(await post('/outcome', { use: json['use'], status: 201 })).toMatchObject({ status: 200, json: { ok: true } })
    expect((await post('/outcome', { use: json['use'], status: 500 })).status).toBe(404)
    expect((await audit.events()).map(({ type, status }) => [type, status])).toEqual([
      ['use.started', undefined],
      ['use.ended', 201],
    ])
  })

  test('tells which response to send instead', async () => {
    const { post, described } = await rigged()
    const call = await described()
    await post('/verify', call)
    expect((await post('/verify', call)).json).toMatchObject({
      allowed: false,
      reason: 'proof-replayed',
      response: { status: 401, headers: { 'content-type': 'application/problem+json' } },
    })
  })

  test('gives a use back', async () => {
    const { post, described } = await rigged()
    const { json } = await post('/verify', await described())
    const { json: back } = await post('/give-back', { use: json['use'], reason: 'the order is locked' })
    expect(back).toEqual({ released: true })
    expect((await post('/give-back', { use: json['use'], reason: 'again' })).status).toBe(404)
  })

  test('takes no outcome after its time', async () => {
    const { post, described, live } = await rigged()
    const { json } = await post('/verify', await described())
    live.advance(61)
    expect((await post('/outcome', { use: json['use'], status: 200 })).status).toBe(404)
  })

  test('answers nobody without the secret', async () => {
    const { post, described, audit } = await rigged('another-secret-of-the-same-length')
    expect((await post('/verify', await described())).status).toBe(401)
    expect(await audit.events()).toEqual([])
  })

  test.each([
    ['nothing', {}],
    ['headers by name', { headers: { dpop: 'x' } }],
    ['a pair of three', { headers: [['a', 'b', 'c']] }],
    ['a body that is not base64', { body: '{}' }],
    ['a body in base64url', { body: Buffer.from('{"a":"~~~"}').toString('base64url') }],
    ['a member more', { user: 'root' }],
  ])('refuses a description with %s', async (name, change) => {
    const { post, described } = await rigged()
    const reply = await post('/verify', name === 'nothing' ? {} : { ...(await described()), ...change })
    expect(reply.status).toBe(400)
  })

  test.each([99, 600, 200.5, '200', null])('takes no status %s', async (status) => {
    const { post, described } = await rigged()
    const { json } = await post('/verify', await described())
    expect((await post('/outcome', { use: json['use'], status })).status).toBe(400)
  })
})

describe('extAuthz()', () => {
  test.each([
    ['nothing to answer', {}],
    ['bodies unchecked', { envoy: { pathPrefix: '/envoy', withRequestBody: false as true } }],
    ['a prefix with a slash at its end', { envoy: { pathPrefix: '/envoy/', withRequestBody: true as const } }],
    ['an empty prefix', { envoy: { pathPrefix: '', withRequestBody: true as const } }],
    ['a path of nginx that is none', { nginx: { path: 'nginx' } }],
    ['a path of nginx with a query', { nginx: { path: '/nginx?' } }],
    ['a path of nginx that a proxy would read in another way', { nginx: { path: '/a/../verify' } }],
    ['a path of nginx at which a backend asks', { nginx: { path: '/verify' }, verify: { secret: SECRET } }],
    ['a path of nginx at which outcomes are told', { nginx: { path: '/outcome' } }],
    ['a path of nginx at which Envoy asks', { nginx: { path: '/envoy/nginx' }, envoy }],
    ['a short secret', { verify: { secret: 'short' } }],
    ['outcomes for ever', { verify: { secret: SECRET, outcomeSeconds: 100_000 } }],
  ])('refuses %s', async (_name, options) => {
    const { verifier } = await extAuthzRig({ envoy })
    expect(() => extAuthz(verifier, options)).toThrow(HallpassError)
  })
})
