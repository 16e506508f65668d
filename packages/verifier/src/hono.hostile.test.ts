import { memoryTrail } from '@hallpass/core'
import { Hono } from 'hono'
import { methodOverride } from 'hono/method-override'
import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../test/raw-request.ts'
import { credentials, json, read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { requireGrant } from './hono.ts'
import { createVerifier } from './index.ts'

function setUp() {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: memoryTrail(), clock: () => NOW })
  const app = new Hono()
  app.onError((error, c) => c.json({ code: (error as { code?: string }).code }, 500))
  return { issuer, ledger, verifier, app, seen: [] as unknown[] }
}

const send = async (app: Hono, { method = 'GET', target = '/', headers: fields = [], body }: RawRequest) => {
  const headers = new Headers()
  for (let index = 0; index < fields.length; index += 2) headers.append(fields[index] ?? '', fields[index + 1] ?? '')
  return app.request(AUDIENCE + target, { method, headers, ...(body === undefined ? {} : { body: String(body) }) })
}

describe('bodies', () => {
  test.each(['json', 'text', 'blob', 'formData'] as const)(
    'a body that middleware read as %s before the guard is not what was sent',
    async (form) => {
      const { app, verifier, issuer, ledger, seen } = setUp()
      app.use(async (c, next) => {
        await c.req[form]().catch(() => undefined)
        await next()
      })
      app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), (c) => {
        seen.push(c.var.checkedBody)
        return c.json({})
      })
      const twice = '{"amount":"43.00","amount":"42.00"}'
      const response = await send(app, refund(issuer, { body: '{"amount":"42.00"}', request: { body: twice } }))
      expect([response.status, await response.json(), seen, ledger.requests]).toEqual([
        500,
        { code: 'body-consumed' },
        [],
        [],
      ])
    },
  )

  test('a body that middleware read as bytes is what was sent', async () => {
    const { app, verifier, issuer, seen } = setUp()
    app.use(async (c, next) => {
      await c.req.arrayBuffer()
      await next()
    })
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), async (c) => {
      seen.push(c.var.checkedBody, await c.req.json())
      return c.json({})
    })
    expect((await send(app, refund(issuer))).status).toBe(200)
    expect(seen).toEqual([{ amount: '42.00' }, { amount: '42.00' }])
  })

  test('a request that middleware puts in the place of the one that came is the one that is checked', async () => {
    const { app, verifier, issuer, seen } = setUp()
    app.use(async (c, next) => {
      c.req.raw = new Request(c.req.raw.url, {
        method: 'POST',
        headers: c.req.raw.headers,
        body: '{"amount":"999.00"}',
      })
      await next()
    })
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), (c) => {
      seen.push(c.var.checkedBody)
      return c.json({})
    })
    expect((await send(app, refund(issuer))).status).toBe(401)
    expect(seen).toEqual([])
  })
})

describe('side doors', () => {
  test.each([
    { by: 'header', use: { header: 'x-method' }, target: '/orders/123', fields: ['x-method', 'GET'] },
    { by: 'query', use: { query: '_method' }, target: '/orders/123?_method=GET', fields: [] },
  ])('method override by $by is bound by the proof to the method that runs', async ({ use, target, fields }) => {
    const { app, verifier, issuer, seen } = setUp()
    app.use('/orders/:id', methodOverride({ app, ...use }))
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (c) => {
      seen.push(c.req.method)
      return c.json({})
    })
    const ask = (method: string) =>
      send(
        app,
        read(issuer, {
          proof: { method },
          headers: (t, p) => [...credentials(t, p), ...fields],
          request: { method: 'POST', target },
        }),
      )
    expect((await ask('POST')).status).toBeGreaterThanOrEqual(400)
    expect(seen).toEqual([])
    expect((await ask('GET')).status).toBe(200)
    expect(seen).toEqual(['GET'])
  })

  test.each(['HEAD', 'OPTIONS'])('%s runs no handler of a guarded route', async (method) => {
    const { app, verifier, issuer, ledger } = setUp()
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (c) => c.json({}))
    const response = await send(app, read(issuer, { request: { method }, proof: { method } }))
    expect([response.status >= 400, ledger.requests]).toEqual([true, []])
  })

  test('a WebSocket upgrade is refused', async () => {
    const { app, verifier, issuer, ledger } = setUp()
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (c) => c.json({}))
    const upgrade = ['upgrade', 'WebSocket', 'connection', 'Upgrade']
    const response = await send(app, read(issuer, { headers: (t, p) => [...credentials(t, p), ...upgrade] }))
    expect([response.status, ledger.requests]).toEqual([400, []])
  })

  test('a guard for any method of a path is one for its action’s', async () => {
    const { app, verifier, issuer, ledger } = setUp()
    app.all('/orders/:id', requireGrant(verifier, 'order.read'), (c) => c.json({}))
    const change = read(issuer, {
      request: { method: 'DELETE' },
      proof: { method: 'DELETE' },
      headers: (t, p) => [...credentials(t, p), ...json],
    })
    expect([(await send(app, change)).status, ledger.requests]).toEqual([403, []])
  })
})
