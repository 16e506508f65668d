import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import type { Express, RequestHandler } from 'express'
import express, { Router } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../test/deferred.ts'
import { sendRaw } from '../test/raw-request.ts'
import { credentials, json, read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { converse, open, statuses, wireText } from '../test/socket.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { checkRoutes, grantOf, requireGrant } from './express.ts'
import { createVerifier } from './index.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(app: Express, options: ServerOptions = {}): Promise<number> {
  const server = createServer(options, app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function setUp() {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => NOW })
  return { issuer, ledger, audit, verifier, app: express(), seen: [] as unknown[] }
}

// Express knows an error handler by its four parameters.
// eslint-disable-next-line max-params
const errorCode: express.ErrorRequestHandler = (error: { code?: string }, _req, res, next) => {
  if (res.headersSent) next(error)
  else res.status(500).json({ code: error.code })
}

describe('method override', () => {
  /** What the method-override package does, by header, query and form. */
  const override: RequestHandler = (req, _res, next) => {
    const wanted = req.get('x-http-method-override') ?? req.query['_method']
    if (req.method === 'POST' && typeof wanted === 'string') req.method = wanted.toUpperCase()
    next()
  }

  test.each([
    { name: 'a POST that says it is a GET', method: 'POST', headers: ['x-http-method-override', 'GET'], query: '' },
    { name: 'a POST that says so in its query', method: 'POST', headers: [], query: '?_method=GET' },
  ])('$name is checked as what the router takes it for', async ({ method, headers, query }) => {
    const { app, verifier, issuer, seen } = setUp()
    app.use(override)
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (req, res) => {
      seen.push(req.method)
      res.json({})
    })
    const port = await serve(app)
    const ask = (proven: string) =>
      sendRaw(
        port,
        read(issuer, {
          proof: { method: proven, ...(query === '' ? {} : { query: query.slice(1) }) },
          headers: (t, p) => [...credentials(t, p), ...headers, 'content-length', '0'],
          request: { method, target: `/orders/123${query}` },
        }),
      )
    // Bound by its proof to the method that runs, never to the one on the wire.
    expect((await ask('POST')).status).toBeGreaterThanOrEqual(400)
    expect((await ask('GET')).status).toBe(query === '' ? 200 : 400)
    expect(seen).toEqual(query === '' ? ['GET'] : [])
  })

  test('a grant to read does nothing on the route that writes', async () => {
    const { app, verifier, issuer, ledger } = setUp()
    app.use(override)
    app.patch('/orders/:id/items/:item', requireGrant(verifier, 'item.update'), (_req, res) => void res.json({}))
    const port = await serve(app)
    const request = read(issuer, {
      proof: { method: 'PATCH', url: `${AUDIENCE}/orders/123/items/1` },
      headers: (t, p) => [...credentials(t, p), 'x-http-method-override', 'PATCH', 'content-length', '0'],
      request: { method: 'POST', target: '/orders/123/items/1' },
    })
    expect([(await sendRaw(port, request)).status, ledger.requests]).toEqual([403, []])
  })
})

describe('bodies', () => {
  test('a lax server that takes a length of nothing and chunks gives the handler no body unchecked', async () => {
    const { app, verifier, issuer, seen } = setUp()
    const parse = express.json()
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), parse, (req, res) => {
      seen.push(req.body)
      res.json({})
    })
    const port = await serve(app, { insecureHTTPParser: true })
    const request = refund(issuer, {
      grant: { constraints: { amount: { any: true, optional: true } } },
      proof: { body: undefined },
      headers: (t, p) => [...credentials(t, p), ...json],
    })
    const text = wireText({ ...request, body: '' }, ['content-length: 0', 'transfer-encoding: chunked'])
    const heard = await converse(port, `${text}13\r\n{"amount":"999.00"}\r\n0\r\n\r\n`)
    expect(statuses(heard)).not.toContain(200)
    expect(seen).toEqual([])
  })
})

describe('routes', () => {
  const handler: RequestHandler = (_req, res) => void res.json({})
  const whole = ({ app, verifier }: ReturnType<typeof setUp>) => {
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), handler)
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), handler)
    app.patch('/orders/:id/items/:item', requireGrant(verifier, 'item.update'), handler)
    app.get('/customers/:customer/orders', requireGrant(verifier, 'order.search'), handler)
  }

  test.each<{ name: string; change: (world: ReturnType<typeof setUp>) => void; says: RegExp }>([
    {
      name: 'a second route without a guard in an action’s place',
      change: ({ app }) => void app.get('/Orders/:id', handler),
      says: /GET \/Orders\/:id has a second route without a guard/,
    },
    {
      name: 'a guard with nothing behind it',
      change: ({ app, verifier }) => void app.get('/orders/:id', handler, requireGrant(verifier, 'order.read')),
      says: /GET \/orders\/:id has nothing behind its guard/,
    },
    {
      name: 'a mount with a parameter, beside one without',
      change: ({ app, verifier }) => {
        const inner = Router()
        inner.get('/orders/:id', requireGrant(verifier, 'order.read'), handler)
        app.use(['/v1', '/t/:tenant'], inner)
      },
      says: /GET \/t\/:tenant\/orders\/:id is guarded as order\.read, which does not name the parameters of its mount/,
    },
  ])('checkRoutes() refuses $name', ({ change, says }) => {
    const world = setUp()
    whole(world)
    expect(() => checkRoutes(world.verifier, world.app)).not.toThrow()
    change(world)
    expect(() => checkRoutes(world.verifier, world.app)).toThrow(says)
  })

  test.each(['HEAD', 'OPTIONS'])('%s on a guarded route runs no handler', async (method) => {
    const { app, verifier, issuer, ledger, seen } = setUp()
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => {
      seen.push(method)
      res.json({})
    })
    await sendRaw(await serve(app), read(issuer, { request: { method }, proof: { method } }))
    expect([seen, ledger.requests]).toEqual([[], []])
  })

  test.each(['route', 'router'])('next(%j) before the guard leads to no handler behind it', async (where) => {
    const { app, verifier, issuer, seen } = setUp()
    const inner = Router()
    inner.get(
      '/orders/:id',
      (_req, _res, next) => next(where),
      requireGrant(verifier, 'order.read'),
      (_req, res) => {
        seen.push('handler')
        res.json({})
      },
    )
    inner.get('/orders/:id', (req, res) => {
      seen.push(grantOf(verifier, 'order.read', req).id)
      res.json({})
    })
    app.use(inner)
    app.use(errorCode)
    const reply = await sendRaw(await serve(app), read(issuer))
    expect([reply.status, reply.json, seen]).toEqual(
      where === 'route' ? [500, { code: 'guard-missing' }, []] : [404, {}, []],
    )
  })
})

describe('the end of a use', () => {
  const settled = async (world: ReturnType<typeof setUp>, handler: RequestHandler) => {
    world.app.get('/orders/:id', requireGrant(world.verifier, 'order.read'), handler)
    world.app.use(errorCode)
    const port = await serve(world.app)
    const reply = await sendRaw(port, read(world.issuer))
    await world.verifier.flush()
    return { status: reply.status, settled: world.ledger.settled.map(({ outcome }) => outcome.status) }
  }

  test.each<{ name: string; handler: RequestHandler; status: number }>([
    { name: 'next(error)', handler: (_req, _res, next) => next(new Error('x')), status: 500 },
    { name: 'next("route")', handler: (_req, _res, next) => next('route'), status: 404 },
    {
      name: 'a throw',
      handler: () => {
        throw new Error('x')
      },
      status: 500,
    },
    { name: 'a rejection', handler: () => Promise.reject(new Error('x')), status: 500 },
    {
      name: 'a throw after the response',
      handler: (_req, res) => {
        res.status(202).json({})
        throw new Error('x')
      },
      status: 202,
    },
    {
      name: 'next(error) after the response',
      handler: (_req, res, next) => {
        res.status(202).json({})
        next(new Error('x'))
      },
      status: 202,
    },
    {
      name: 'a second response',
      handler: (_req, res) => {
        res.status(202).json({})
        res.status(500).json({})
      },
      status: 202,
    },
  ])('$name is one use with one outcome', async ({ handler, status }) => {
    expect(await settled(setUp(), handler)).toEqual({ status, settled: [status] })
  })

  test('work that goes on behind the response gives nothing back any more', async () => {
    const world = setUp()
    const late = deferred()
    let returned: Promise<boolean> | undefined
    const { settled: outcomes } = await settled(world, (req, res) => {
      const grant = grantOf(world.verifier, 'order.read', req)
      returned = late.promise.then(() => grant.giveBack('too late'))
      res.json({})
    })
    late.resolve()
    expect([await returned, outcomes, world.ledger.givenBack]).toEqual([false, [200], []])
  })

  test('a handler that never answers has used its use, and its client’s leaving is the outcome', async () => {
    const world = setUp()
    const reached = deferred()
    world.app.get('/orders/:id', requireGrant(world.verifier, 'order.read'), () => reached.resolve())
    const socket = await open(await serve(world.app))
    socket.write(wireText(read(world.issuer)))
    await reached.promise
    expect([world.ledger.requests.length, world.ledger.settled]).toEqual([1, []])
    const ended = new Promise<void>((resolve) => {
      const settle = world.ledger.settle.bind(world.ledger)
      world.ledger.settle = (...told) => {
        void settle(...told)
        resolve()
      }
    })
    socket.destroy()
    await once(socket, 'close')
    await ended
    expect(world.ledger.settled.map(({ outcome }) => outcome)).toEqual([{ status: 499 }])
  })
})
