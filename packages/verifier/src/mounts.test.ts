import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import express, { Router } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { read } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { checkRoutes, requireGrant } from './express.ts'
import { hallpass } from './fastify.ts'
import { requireGrant as requireHonoGrant } from './hono.ts'
import { createVerifier } from './index.ts'

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

function setUp() {
  const issuer = createTestIssuer()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger: scriptedLedger(),
    audit: memoryTrail(),
    clock: () => NOW,
  })
  const at = (target: string) => read(issuer, { proof: { url: AUDIENCE + target }, request: { target } })
  return { verifier, at, runs: [] as string[] }
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe('Express', () => {
  const mounted = (world: ReturnType<typeof setUp>, mount: string | RegExp, options: { mergeParams: boolean }) => {
    const app = express()
    const inner = Router(options)
    inner.get('/orders/:id', requireGrant(world.verifier, 'order.read'), (req, res) => {
      world.runs.push(req.originalUrl)
      res.json({})
    })
    app.use(mount, inner)
    return app
  }

  test.each([
    { mount: '/t/:tenant', mergeParams: false },
    { mount: '/t/:tenant', mergeParams: true },
    { mount: '/t/*tenant', mergeParams: false },
    { mount: '/t{/:tenant}', mergeParams: false },
    { mount: /^\/t\/[a-z]+/, mergeParams: false },
  ])('a tenant in the mount $mount (merged: $mergeParams) is part of no grant, and refused', async (way) => {
    const world = setUp()
    const app = mounted(world, way.mount, way)
    const port = await serve(app)
    expect((await sendRaw(port, world.at('/t/acme/orders/123'))).status).toBeGreaterThanOrEqual(400)
    expect(world.runs).toEqual([])
    expect(() => checkRoutes(world.verifier, app)).toThrow(/order\.read/)
    expect((await sendRaw(port, world.at('/t/acme/orders/123'))).status).toBeGreaterThanOrEqual(400)
    expect(world.runs).toEqual([])
  })

  test('a URL that middleware rewrites is still the one that was sent', async () => {
    const world = setUp()
    const app = express()
    app.use((req, _res, next) => {
      req.url = req.url.replace(/^\/t\/\w+/, '')
      next()
    })
    app.use(mounted(world, '/', { mergeParams: false }))
    const port = await serve(app)
    expect((await sendRaw(port, world.at('/t/acme/orders/123'))).status).toBe(403)
    expect((await sendRaw(port, world.at('/orders/123'))).status).toBe(200)
    expect(world.runs).toEqual(['/orders/123'])
  })

  test('app.param() that changes what the handler reads is refused', async () => {
    const world = setUp()
    const app = express()
    const rename: express.RequestParamHandler = (...[req, , next]) => {
      req.params['id'] = '124'
      next()
    }
    app.param('id', rename)
    app.get('/orders/:id', requireGrant(world.verifier, 'order.read'), (req, res) => {
      world.runs.push(req.params['id'])
      res.json({})
    })
    const port = await serve(app)
    expect((await sendRaw(port, world.at('/orders/123'))).status).toBe(400)
    expect(world.runs).toEqual([])
  })

  test('a fixed mount that checkRoutes() knows is no part of the action’s path; another one is', async () => {
    const world = setUp()
    const app = express()
    const inner = Router()
    const guard = requireGrant(world.verifier, 'order.read')
    inner.get('/orders/:id', guard, (req, res) => {
      world.runs.push(req.originalUrl)
      res.json({})
    })
    app.use('/v1', inner)
    const port = await serve(app)
    expect((await sendRaw(port, world.at('/v1/orders/123'))).status).toBe(403)
    expect(() => checkRoutes(world.verifier, app)).toThrow(/order\.search has no guarded route/)
    const others = [
      ['get', '/customers/:customer/orders', 'order.search'],
      ['post', '/orders/:id/refund', 'refund.create'],
      ['patch', '/orders/:id/items/:item', 'item.update'],
    ] as const
    for (const [method, path, action] of others)
      inner[method](path, requireGrant(world.verifier, action), (_req, res) => void res.json({}))
    checkRoutes(world.verifier, app)
    app.use('/t/:tenant', inner)
    expect((await sendRaw(port, world.at('/v1/orders/123'))).status).toBe(200)
    expect((await sendRaw(port, world.at('/V1/orders/123'))).status).toBe(403)
    expect((await sendRaw(port, world.at('/t/acme/orders/123'))).status).toBe(403)
    expect(world.runs).toEqual(['/v1/orders/123'])
  })
})

describe('Fastify', () => {
  test.each(['/t/:tenant', '/t/*', '/t/:tenant(^\\d+$)', '/t/:a-:b'])(
    'a prefix with a pattern, %s, does not boot',
    async (prefix) => {
      const { verifier } = setUp()
      const app = fastify()
      await app.register(hallpass, { verifier })
      app.register(
        async (child) => {
          child.get('/orders/:id', { config: { hallpass: 'order.read' } }, async () => ({}))
        },
        { prefix },
      )
      await expect(async () => {
        await app.ready()
      }).rejects.toThrow(/parameters|wildcard|Wildcard/)
    },
  )

  test.each([
    { option: 'useSemicolonDelimiter', target: '/orders/123;verbose=1' },
    { option: 'ignoreTrailingSlash', target: '/orders/123/' },
    { option: 'ignoreDuplicateSlashes', target: '//orders///123' },
    { option: 'caseSensitive', target: '/ORDERS/123' },
  ])('a router that is lax by $option lets nothing through', async ({ option, target }) => {
    const world = setUp()
    const app = fastify({ routerOptions: { [option]: option !== 'caseSensitive' } })
    await app.register(hallpass, { verifier: world.verifier })
    app.get('/orders/:id', { config: { hallpass: 'order.read' } }, async (request) => {
      world.runs.push(request.url)
      return {}
    })
    await app.ready()
    const port = await serve((req, res) => app.routing(req, res))
    expect((await sendRaw(port, world.at('/orders/123'))).status).toBe(200)
    expect((await sendRaw(port, world.at(target))).status).toBeGreaterThanOrEqual(400)
    expect(world.runs).toEqual(['/orders/123'])
  })

  test('rewriteUrl hides no part of the path', async () => {
    const world = setUp()
    const app = fastify({ rewriteUrl: ({ url }) => (url ?? '').replace(/^\/t\/\w+/, '') })
    await app.register(hallpass, { verifier: world.verifier })
    app.get('/orders/:id', { config: { hallpass: 'order.read' } }, async (request) => {
      world.runs.push(request.originalUrl)
      return {}
    })
    await app.ready()
    const port = await serve((req, res) => app.routing(req, res))
    expect((await sendRaw(port, world.at('/t/acme/orders/123'))).status).toBe(403)
    expect(world.runs).toEqual([])
  })
})

describe('Hono', () => {
  const handlerOf = (world: ReturnType<typeof setUp>, sub: Hono) =>
    sub.get('/orders/:id', requireHonoGrant(world.verifier, 'order.read'), (c) => {
      world.runs.push(new URL(c.req.url).pathname)
      return c.json({})
    })
  const ask = (app: Hono, world: ReturnType<typeof setUp>, target: string) => {
    const [, authorization = '', , dpop = ''] = world.at(target).headers ?? []
    return app.request(AUDIENCE + target, { headers: { authorization, dpop } })
  }

  test.each(['/t/:tenant', '/t/:tenant{[a-z]+}', '/t/:tenant?', '/t/*'])(
    'a tenant in the base %s is part of no grant, and refused',
    async (base) => {
      const world = setUp()
      const app = new Hono()
      app.onError(() => new Response(null, { status: 500 }))
      app.route(base, handlerOf(world, new Hono()))
      expect((await ask(app, world, '/t/acme/orders/123')).status).toBeGreaterThanOrEqual(400)
      expect(world.runs).toEqual([])
    },
  )

  test('a fixed base is no part of the action’s path', async () => {
    const world = setUp()
    const app = new Hono().basePath('/v1')
    app.route('/api', handlerOf(world, new Hono()))
    expect((await ask(app as unknown as Hono, world, '/v1/api/orders/123')).status).toBe(200)
  })

  test('getPath that routes by something else than the path lets nothing through', async () => {
    const world = setUp()
    const app = new Hono({ getPath: (request) => new URL(request.url).pathname.replace(/^\/t\/\w+/, '') })
    handlerOf(world, app)
    expect((await ask(app, world, '/t/acme/orders/123')).status).toBe(403)
    expect(world.runs).toEqual([])
  })
})
