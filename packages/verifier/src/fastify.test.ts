import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { grantOf, hallpass } from './fastify.ts'
import { createVerifier } from './index.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

async function serve(app: FastifyInstance): Promise<number> {
  open.push(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function setUp() {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => NOW })
  const app = fastify({ forceCloseConnections: true })
  return { issuer, ledger, audit, verifier, app }
}

const REFUND = { config: { hallpass: 'refund.create' } } as const

describe('bodies', () => {
  test('a guarded route in a child scope has its raw bytes, and the handler the checked object', async () => {
    const { issuer, verifier, app } = setUp()
    await app.register(hallpass, { verifier })
    await app.register(async (child) => {
      child.post('/orders/:id/refund', REFUND, async (request) => ({
        body: request.body,
        amount: grantOf(verifier, 'refund.create', request).parameters.amount.toString(),
      }))
    })
    const port = await serve(app)
    expect((await sendRaw(port, refund(issuer))).json).toEqual({ body: { amount: '42.00' }, amount: '42.00' })
  })

  test('a scope with a parser of its own is a mistake that says so', async () => {
    const { issuer, verifier, ledger, app } = setUp()
    await app.register(hallpass, { verifier })
    await app.register(async (child) => {
      child.removeAllContentTypeParsers()
      child.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
        done(null, JSON.parse(String(body))),
      )
      child.post('/orders/:id/refund', REFUND, async () => ({}))
    })
    app.setErrorHandler((error, _request, reply) => reply.code(500).send({ code: (error as { code?: string }).code }))
    const port = await serve(app)
    expect((await sendRaw(port, refund(issuer))).json).toMatchObject({ code: 'body-consumed' })
    expect(ledger.requests).toEqual([])
  })

  test('a schema that rewrites bodies rewrites neither what is checked nor what the handler gets', async () => {
    const { issuer, verifier, app } = setUp()
    await app.register(hallpass, { verifier })
    const schema = {
      body: { type: 'object', properties: { amount: { type: 'number' }, note: { type: 'string', default: 'added' } } },
    }
    app.post('/orders/:id/refund', { ...REFUND, schema }, async (request) => request.body)
    const port = await serve(app)
    expect((await sendRaw(port, refund(issuer))).json).toEqual({ amount: '42.00' })
  })

  test('public routes keep parsing JSON as Fastify does', async () => {
    const { verifier, app } = setUp()
    await app.register(hallpass, { verifier })
    app.post('/echo', { config: { hallpass: false }, bodyLimit: 50 }, async (request) => ({ body: request.body }))
    const port = await serve(app)
    const post = async (body: string) =>
      sendRaw(port, { method: 'POST', target: '/echo', headers: ['content-type', 'application/json'], body })
    expect((await post('{"a":1}')).json).toEqual({ body: { a: 1 } })
    expect((await post('{')).status).toBe(400)
    expect((await post('')).status).toBe(400)
    expect((await post(JSON.stringify({ a: 'x'.repeat(60) }))).status).toBe(413)
    expect((await post('{"__proto__":{}}')).status).toBe(400)
  })

  test('a refused request is answered before its body is read', async () => {
    const { verifier, app, audit } = setUp()
    await app.register(hallpass, { verifier })
    let parsed = 0
    app.addHook('preParsing', async (_request, _reply, payload) => {
      parsed += 1
      return payload
    })
    app.post('/orders/:id/refund', REFUND, async () => ({}))
    const port = await serve(app)
    const reply = await sendRaw(port, {
      method: 'POST',
      target: '/orders/123/refund',
      headers: ['content-type', 'application/json'],
      body: '{}',
    })
    await verifier.flush()
    expect([reply.status, parsed, (await audit.events()).map(({ type }) => type)]).toEqual([
      401,
      0,
      ['traffic.refused'],
    ])
  })
})

describe('boot', () => {
  const boot = async (change: (app: FastifyInstance) => void, everyRouteDeclares = true) => {
    const { verifier, app } = setUp()
    open.push(() => app.close())
    await app.register(hallpass, { verifier, everyRouteDeclares })
    app.post('/orders/:id/refund', REFUND, async () => ({}))
    app.get('/customers/:customer/orders', { config: { hallpass: 'order.search' } }, async () => ({}))
    app.patch('/orders/:id/items/:item', { config: { hallpass: 'item.update' } }, async () => ({}))
    change(app)
    await app.ready()
  }
  // An instance is a thenable that waits for the boot, so nothing that awaits may be handed one.
  const readRoute = (app: FastifyInstance) =>
    void app.get('/orders/:id', { config: { hallpass: 'order.read' } }, async () => ({}))

  test('succeeds where every route declares and every action has a route', async () => {
    await expect(
      boot((app) => {
        readRoute(app)
        app.get('/healthz', { config: { hallpass: false } }, async () => ({}))
      }),
    ).resolves.toBeUndefined()
  })

  test.each<{ name: string; change: (app: FastifyInstance) => void; says: RegExp }>([
    {
      name: 'a route that declares nothing',
      change: (app) => void app.get('/x', async () => ({})),
      says: /GET \/x: declare config\.hallpass/,
    },
    { name: 'an action without a route', change: () => undefined, says: /actions without a route: order\.read/ },
    {
      name: 'a route that is not the action it declares',
      change: (app) => void app.get('/x/:id', { config: { hallpass: 'order.read' } }, async () => ({})),
      says: /\/x\/:id: order\.read is declared as GET \/orders\/\{id\}/,
    },
    {
      name: 'a method that is not the action’s',
      change: (app) => void app.put('/orders/:id', { config: { hallpass: 'order.read' } }, async () => ({})),
      says: /order\.read is declared as GET/,
    },
    {
      name: 'an action the catalog has not',
      change: (app) => void app.get('/orders/:id', { config: { hallpass: 'order.raed' } }, async () => ({})),
      says: /no action order\.raed/,
    },
    {
      name: 'an action without a route in the catalog',
      change: (app) => void app.get('/orders/:id', { config: { hallpass: 'invoice.render' } }, async () => ({})),
      says: /protect it with guard/,
    },
  ])('refuses $name', async ({ change, says }) => {
    await expect(boot(change)).rejects.toThrow(says)
  })

  test('under a prefix the route still is its action', async () => {
    const { issuer, verifier, app } = setUp()
    await app.register(hallpass, { verifier })
    await app.register(async (child) => readRoute(child), { prefix: '/v1' })
    const port = await serve(app)
    const request = read(issuer, {
      proof: { url: 'https://orders.example/v1/orders/123' },
      request: { target: '/v1/orders/123' },
    })
    expect((await sendRaw(port, request)).status).toBe(200)
  })

  test('the HEAD route that Fastify adds does not answer under a grant for GET', async () => {
    const { issuer, verifier, ledger, app } = setUp()
    await app.register(hallpass, { verifier })
    readRoute(app)
    const port = await serve(app)
    const reply = await sendRaw(port, read(issuer, { request: { method: 'HEAD' }, proof: { method: 'HEAD' } }))
    expect([reply.status, ledger.requests.length]).toEqual([403, 0])
  })

  test('grantOf() on a public route throws guard-missing', async () => {
    const { verifier, app } = setUp()
    await app.register(hallpass, { verifier })
    app.get('/open', async (request) => grantOf(verifier, 'order.read', request))
    app.setErrorHandler((error, _request, reply) => reply.code(500).send({ code: (error as { code?: string }).code }))
    const port = await serve(app)
    expect((await sendRaw(port, { target: '/open' })).json).toEqual({ code: 'guard-missing' })
  })
})
