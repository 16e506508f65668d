import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import type { Express } from 'express'
import express, { Router } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { checkRoutes, grantOf, jsonBody, requireGrant } from './express.ts'
import { createVerifier } from './index.ts'

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function serve(app: Express): Promise<number> {
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function setUp(publicUrl = AUDIENCE) {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: memoryTrail(), publicUrl, clock: () => NOW })
  return { issuer, ledger, verifier }
}

// Express knows an error handler by its four parameters.
// eslint-disable-next-line max-params
const errorCode: express.ErrorRequestHandler = (error: { code?: string }, _req, res, next) => {
  if (res.headersSent) next(error)
  else res.status(500).json({ code: error.code })
}

describe('mounts', () => {
  test('requireGrant() checks the URL the client sent, not what a mount or sub-router made of it', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    const inner = Router()
    inner.get('/:id', requireGrant(verifier, 'order.read'), (req, res) => {
      res.json({ resource: grantOf(verifier, 'order.read', req).resource })
    })
    app.use('/orders', inner)
    const port = await serve(app)
    expect((await sendRaw(port, read(issuer))).text).toBe('{"resource":"order:123"}')
    const mounted = read(issuer, { proof: { url: `${AUDIENCE}/123` } })
    expect((await sendRaw(port, mounted)).json['type']).toBe('urn:hallpass:problem:proof-invalid')
  })

  test.each([
    { where: 'mounted under the public prefix', mount: '/api', target: '/api/orders/123' },
    { where: 'behind a proxy that takes the prefix off', mount: '/', target: '/orders/123' },
  ])('requireGrant() takes scheme, host and prefix from publicUrl, $where', async ({ mount, target }) => {
    const { issuer, verifier } = setUp('https://gateway.example/api')
    const app = express()
    const inner = Router()
    inner.get('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => void res.json({}))
    app.use(mount, inner)
    const port = await serve(app)
    const good = read(issuer, { proof: { url: 'https://gateway.example/api/orders/123' }, request: { target } })
    const bad = read(issuer, { proof: { url: 'https://gateway.example/orders/123' }, request: { target } })
    expect([(await sendRaw(port, good)).status, (await sendRaw(port, bad)).status]).toEqual([200, 401])
  })

  test('requireGrant() follows neither X-Forwarded-Host nor trust proxy', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    app.set('trust proxy', true)
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => void res.json({}))
    const port = await serve(app)
    const request = read(issuer, { proof: { url: 'https://evil.example/orders/123' } })
    const headers = [...(request.headers ?? []), 'x-forwarded-host', 'evil.example', 'x-forwarded-proto', 'https']
    expect((await sendRaw(port, { ...request, headers })).status).toBe(401)
  })

  test('requireGrant() on a route without the parameter of the action is a mistake that says so', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    app.use(requireGrant(verifier, 'order.read'))
    app.use(errorCode)
    const port = await serve(app)
    expect((await sendRaw(port, read(issuer))).json).toEqual({ code: 'route-mismatch' })
  })
})

describe('bodies', () => {
  const echo = (app: Express, { verifier }: ReturnType<typeof setUp>) => {
    app.post(
      '/orders/:id/refund',
      requireGrant(verifier, 'refund.create'),
      (req, res) => void res.json({ body: req.body as unknown }),
    )
    app.use(errorCode)
  }

  test('requireGrant() after express.json() is a mistake that says so', async () => {
    const world = setUp()
    const app = express()
    app.use(express.json())
    echo(app, world)
    const port = await serve(app)
    expect((await sendRaw(port, refund(world.issuer))).json).toEqual({ code: 'body-consumed' })
    expect(world.ledger.requests).toEqual([])
  })

  test('requireGrant() after jsonBody() has the raw bytes, and the handler the checked object', async () => {
    const world = setUp()
    const app = express()
    app.use(jsonBody())
    app.use((req, _res, next) => {
      // Whatever happens to the parsed object on the way, what is checked is what was proven.
      if (typeof req.body === 'object') (req.body as { amount: string }).amount = '9999.00'
      next()
    })
    echo(app, world)
    const port = await serve(app)
    expect((await sendRaw(port, refund(world.issuer))).json).toEqual({ body: { amount: '42.00' } })
  })

  test('express.json() after a guard leaves the checked body alone', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    app.post(
      '/orders/:id/refund',
      requireGrant(verifier, 'refund.create'),
      express.json(),
      (req, res) => void res.json(req.body),
    )
    const port = await serve(app)
    expect((await sendRaw(port, refund(issuer))).json).toEqual({ amount: '42.00' })
  })

  test.each([
    { name: 'a duplicate member', body: '{"a":1,"a":2}', status: 400 },
    { name: 'too many bytes', body: JSON.stringify({ a: 'x'.repeat(200) }), status: 413 },
    { name: 'no JSON', body: '{', status: 400 },
    { name: 'an encoded body', body: '{}', coding: ['content-encoding', 'gzip'], status: 415 },
    { name: 'a body that was encoded twice', body: '{}', coding: ['content-encoding', 'identity, gzip'], status: 415 },
  ])('jsonBody() refuses $name', async ({ body, coding = [], status }) => {
    const app = express()
    app.use(jsonBody({ limitBytes: 100 }))
    app.post('/', (req, res) => void res.json(req.body))
    const port = await serve(app)
    const headers = ['content-type', 'application/json', ...coding]
    const reply = await sendRaw(port, { method: 'POST', headers, body })
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'application/problem+json'])
  })

  test.each(['identity', 'Identity'])(
    'jsonBody() reads a body whose encoding is %s, as the guards do',
    async (coding) => {
      const world = setUp()
      const app = express()
      app.use(jsonBody())
      echo(app, world)
      const port = await serve(app)
      const request = refund(world.issuer)
      const headers = [...(request.headers ?? []), 'content-encoding', coding]
      expect((await sendRaw(port, { ...request, headers })).json).toEqual({ body: { amount: '42.00' } })
    },
  )

  test('jsonBody() leaves other types to other parsers', async () => {
    const app = express()
    app.use(jsonBody(), express.text())
    app.post('/', (req, res) => void res.json({ body: req.body as unknown }))
    const port = await serve(app)
    const reply = await sendRaw(port, { method: 'POST', headers: ['content-type', 'text/plain'], body: 'hello' })
    expect(reply.json).toEqual({ body: 'hello' })
  })
})

describe('handlers', () => {
  test('grantOf() throws guard-missing where no guard let the request through for that action', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    app.get('/open', (req, res) => void res.json(grantOf(verifier, 'order.read', req)))
    app.get(
      '/orders/:id',
      requireGrant(verifier, 'order.read'),
      (req, res) => void res.json(grantOf(verifier, 'refund.create', req)),
    )
    app.use(errorCode)
    const port = await serve(app)
    expect((await sendRaw(port, { target: '/open' })).json).toEqual({ code: 'guard-missing' })
    expect((await sendRaw(port, read(issuer))).json).toEqual({ code: 'guard-missing' })
  })

  test('grantOf() throws for the grant of another verifier', async () => {
    const { issuer, verifier } = setUp()
    const other = setUp().verifier
    const app = express()
    app.get(
      '/orders/:id',
      requireGrant(verifier, 'order.read'),
      (req, res) => void res.json(grantOf(other, 'order.read', req)),
    )
    app.use(errorCode)
    const port = await serve(app)
    expect((await sendRaw(port, read(issuer))).json).toEqual({ code: 'guard-missing' })
  })

  test('CORS preflights carry no credentials: answered before the guard, they reach no handler', async () => {
    const { issuer, verifier } = setUp()
    const app = express()
    // The recipe of the README.
    app.use((req, res, next) => {
      res.setHeader('access-control-allow-origin', 'https://console.example')
      res.setHeader('access-control-expose-headers', 'www-authenticate, dpop-nonce')
      if (req.method !== 'OPTIONS') return next()
      res.setHeader('access-control-allow-headers', 'authorization, dpop, content-type, idempotency-key')
      res.setHeader('access-control-allow-methods', 'GET, POST')
      res.status(204).end()
    })
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => void res.json({}))
    const port = await serve(app)
    const preflight = await sendRaw(port, { method: 'OPTIONS', target: '/orders/123' })
    expect([preflight.status, preflight.text, (await sendRaw(port, read(issuer))).status]).toEqual([204, '', 200])
    expect((await sendRaw(port, { target: '/orders/123' })).headers['access-control-allow-origin']).toBe(
      'https://console.example',
    )
  })
})

describe('checkRoutes()', () => {
  const handler: express.RequestHandler = (_req, res) => void res.json({})
  const whole = (verifier: ReturnType<typeof setUp>['verifier']) => {
    const app = express()
    const inner = Router()
    inner.get('/:id', requireGrant(verifier, 'order.read'), handler)
    inner.post('/:id/refund', requireGrant(verifier, 'refund.create'), handler)
    inner.patch('/:id/items/:item', requireGrant(verifier, 'item.update'), handler)
    app.use('/orders', inner)
    app.get('/customers/:customer/orders', requireGrant(verifier, 'order.search'), handler)
    app.get('/healthz', handler)
    return app
  }

  test('passes an app that has every route of the catalog', () => {
    const { verifier } = setUp()
    expect(() => checkRoutes(verifier, whole(verifier), { publicRoutes: ['GET /healthz'] })).not.toThrow()
  })

  test.each<{ name: string; change: (app: Express, world: ReturnType<typeof setUp>) => void; says: RegExp }>([
    {
      name: 'an action without a route',
      change: (app) => void (app.router.stack.length -= 2),
      says: /order\.search has no guarded route GET \/customers\/\{customer\}\/orders/,
    },
    {
      name: 'a guard on another path',
      change: (app, { verifier }) => void app.get('/refunds/:id', requireGrant(verifier, 'order.read'), handler),
      says: /GET \/refunds\/:id is guarded as order\.read, which is GET \/orders\/\{id\}/,
    },
    {
      name: 'a guard on another method',
      change: (app, { verifier }) =>
        void app.put('/orders/:id/refund', requireGrant(verifier, 'refund.create'), handler),
      says: /PUT \/orders\/:id\/refund is guarded as refund\.create, which is POST/,
    },
    {
      name: 'an open route nobody called public',
      change: (app) => void app.delete('/orders/:id', handler),
      says: /DELETE \/orders\/:id has no guard/,
    },
  ])('refuses $name', ({ change, says }) => {
    const world = setUp()
    const app = whole(world.verifier)
    change(app, world)
    expect(() => checkRoutes(world.verifier, app, { publicRoutes: ['GET /healthz'] })).toThrow(says)
  })

  test("does not take another verifier's guard for its own", () => {
    const { verifier } = setUp()
    expect(() => checkRoutes(setUp().verifier, whole(verifier))).toThrow(/order\.read has no guarded route/)
  })
})
