import { createServer } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { memoryTrail } from '@hallpass/core'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { hallpass } from './fastify.ts'
import { createVerifier } from './index.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function setUp(options: FastifyServerOptions = {}) {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: memoryTrail(), clock: () => NOW })
  const app = fastify({ forceCloseConnections: true, ...options })
  closing.push(() => app.close())
  return { issuer, ledger, verifier, app, seen: [] as unknown[] }
}

async function serve(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

const READ = { config: { hallpass: 'order.read' } } as const
const REFUND = { config: { hallpass: 'refund.create' } } as const
const handler = async () => ({})

describe('what the plugin does not guard', () => {
  // An instance is a thenable that waits for the boot, so nothing that awaits may be handed one.
  const boot = async (build: (world: ReturnType<typeof setUp>) => void) => {
    const world = setUp()
    build(world)
    await world.app.ready()
  }

  test.each<{ name: string; build: (world: ReturnType<typeof setUp>) => void }>([
    {
      name: 'a route before it',
      build: ({ app, verifier }) => {
        app.get('/orders/:id', READ, handler)
        app.register(hallpass, { verifier })
      },
    },
    {
      name: 'a route before it, on a Fastify that does not describe its routes',
      build: ({ app, verifier }) => {
        app.get('/orders/:id', READ, handler)
        app.printRoutes = () => '└── /'
        app.register(hallpass, { verifier })
      },
    },
    {
      name: 'a scope before it',
      build: ({ app, verifier }) => {
        app.register(async (child) => {
          child.get('/orders/:id', READ, handler)
        })
        app.register(hallpass, { verifier })
      },
    },
    {
      name: 'a route outside its scope',
      build: ({ app, verifier }) => {
        app.register(async (child) => {
          await child.register(hallpass, { verifier })
        })
        app.get('/orders/:id', READ, handler)
      },
    },
    {
      name: 'a scope beside its own',
      build: ({ app, verifier }) => {
        app.register(async (child) => {
          await child.register(hallpass, { verifier })
        })
        app.register(
          async (child) => {
            child.get('/orders/:id', READ, handler)
          },
          { prefix: '/v1' },
        )
      },
    },
    {
      name: 'a silent route before it, where every route declares',
      build: ({ app, verifier }) => {
        app.get('/x', handler)
        app.register(hallpass, { verifier, everyRouteDeclares: true })
        app.register(async (scope) => {
          scope.get('/orders/:id', READ, handler)
          scope.post('/orders/:id/refund', REFUND, handler)
          scope.get('/customers/:customer/orders', { config: { hallpass: 'order.search' } }, handler)
          scope.patch('/orders/:id/items/:item', { config: { hallpass: 'item.update' } }, handler)
        })
      },
    },
    {
      name: 'a schema that comes after it',
      build: ({ app, verifier }) => {
        app.register(hallpass, { verifier })
        app.register(async (scope) => {
          scope.addHook('onRoute', (route) => {
            route.schema = { params: { type: 'object', properties: { id: { type: 'integer' } } } }
          })
          scope.get('/orders/:id', READ, handler)
        })
      },
    },
    {
      name: 'a WebSocket',
      build: ({ app, verifier }) => {
        app.register(hallpass, { verifier })
        app.register(async (scope) => {
          scope.get('/orders/:id', { ...READ, websocket: true } as never, handler)
        })
      },
    },
  ])('$name does not boot', async ({ build }) => {
    await expect(boot(build)).rejects.toThrow(expect.objectContaining({ code: 'route-mismatch' }))
  })

  test('two verifiers in two scopes boot, each with its own routes', async () => {
    const { app, verifier } = setUp()
    const other = setUp().verifier
    app.register(async (child) => {
      await child.register(hallpass, { verifier })
      child.get('/orders/:id', READ, handler)
    })
    app.register(
      async (child) => {
        await child.register(hallpass, { verifier: other })
        child.get('/orders/:id', READ, handler)
      },
      { prefix: '/other' },
    )
    app.get('/health', { config: { hallpass: false } }, handler)
    app.get('/silent', handler)
    await app.ready()
    expect(app.hasRoute({ method: 'GET', url: '/other/orders/:id' })).toBe(true)
  })
})

describe('what the handler sees is what was checked', () => {
  test.each<{ name: string; change: (app: FastifyInstance) => void; status: number }>([
    {
      name: 'a stream that a preParsing hook puts in the place of the body',
      change: (app) => void app.addHook('preParsing', async () => Readable.from([Buffer.from('{"amount":"999.00"}')])),
      status: 200,
    },
    {
      name: 'a body that a preParsing hook reads first',
      change: (app) =>
        void app.addHook('preParsing', async (_request, _reply, payload) => {
          const chunks: Buffer[] = []
          for await (const chunk of payload) chunks.push(chunk as Buffer)
          return Readable.from([Buffer.from('{"amount":"999.00"}')])
        }),
      status: 500,
    },
    {
      name: 'a body that a preValidation hook of the app sets',
      change: (app) =>
        void app.addHook('preValidation', async (request) => {
          request.body = { amount: '999.00' }
        }),
      status: 200,
    },
    {
      name: 'a validator that answers another value',
      change: (app) => void app.setValidatorCompiler(() => () => ({ value: { amount: '999.00' } })),
      status: 200,
    },
    {
      name: 'a parser of its own for the type',
      change: (app) =>
        app.addContentTypeParser('application/orders+json', { parseAs: 'string' }, async () => ({
          amount: '999.00',
        })),
      status: 500,
    },
  ])('not $name', async ({ change, status }) => {
    const { app, verifier, issuer, ledger, seen } = setUp()
    await app.register(hallpass, { verifier })
    change(app)
    app.post('/orders/:id/refund', { ...REFUND, schema: { body: { type: 'object' } } }, async (request) => {
      seen.push(request.body)
      return {}
    })
    const port = await serve(app)
    const type = ['content-type', 'application/orders+json']
    const request = refund(issuer, { headers: (t, p) => ['authorization', `DPoP ${t}`, 'dpop', p, ...type] })
    expect((await sendRaw(port, request)).status).toBe(status)
    expect({ seen, spent: ledger.requests.length }).toEqual(
      status === 200 ? { seen: [{ amount: '42.00' }], spent: 1 } : { seen: [], spent: 0 },
    )
  })

  test('not a body that a hook of the app gave to a request without one', async () => {
    const { app, verifier, issuer, seen } = setUp()
    await app.register(hallpass, { verifier })
    app.addHook('preValidation', async (request) => {
      request.body = { admin: true }
    })
    app.get('/orders/:id', READ, async (request) => {
      seen.push(request.body)
      return {}
    })
    expect((await sendRaw(await serve(app), read(issuer))).status).toBe(200)
    expect(seen).toEqual([undefined])
  })
})

describe('HTTP/2', () => {
  test('is checked as HTTP/1.1 is, whatever :authority says', async () => {
    const { verifier, issuer, ledger } = setUp()
    const app = fastify({ http2: true })
    await app.register(hallpass, { verifier })
    app.get('/orders/:id', READ, handler)
    app.post('/orders/:id/refund', REFUND, async (request) => request.body)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const session = connect(`http://127.0.0.1:${port}`)
    closing.push(() => {
      session.destroy()
      app.server.close()
    })
    const warnings: string[] = []
    const warn = (warning: Error) => void warnings.push(warning.message)
    process.on('warning', warn)
    const ask = async (request: ReturnType<typeof read>, more: Record<string, string> = {}) => {
      const { method = 'GET', target = '/', headers = [], body } = request
      const fields: Record<string, string | string[]> = { ':method': method, ':path': target, ...more }
      for (let index = 0; index < headers.length; index += 2) {
        const name = headers[index] ?? ''
        const value = headers[index + 1] ?? ''
        fields[name] = name in fields ? [fields[name] ?? '', value].flat() : value
      }
      const stream = session.request(fields, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      return new Promise<string>((resolve, reject) => {
        let status = ''
        stream.on('response', (head) => {
          status = String(head[':status'])
        })
        stream.on('error', reject)
        stream.on('end', () => resolve(status))
        stream.resume()
      })
    }
    expect(await ask(read(issuer))).toBe('200')
    expect(await ask(read(issuer), { ':authority': 'evil.example' })).toBe('200')
    expect(await ask(refund(issuer))).toBe('200')
    const evil = { proof: { url: 'http://evil.example/orders/123' } }
    expect(await ask(read(issuer, evil), { ':authority': 'evil.example' })).toBe('401')
    expect(await ask(read(issuer, { request: { target: '//evil.example/orders/123' } }))).toMatch(/^4/)
    // The protocol itself has no absolute form.
    await expect(ask(read(issuer, { request: { target: 'http://evil.example/orders/123' } }))).rejects.toThrow(
      /PROTOCOL/,
    )
    expect(await ask(read(issuer, { request: { body: '{}' }, proof: { body: '{}' } }))).toBe('400')
    expect(
      await ask(
        refund(issuer, { request: { body: undefined }, headers: (t, p) => ['authorization', `DPoP ${t}`, 'dpop', p] }),
      ),
    ).toBe('401')
    const long = JSON.stringify({ amount: '42.00', note: 'x'.repeat(2_000_000) })
    expect(await ask(refund(issuer, { body: long })).catch(() => '413')).toBe('413')
    expect(ledger.requests.length).toBe(3)
    process.removeListener('warning', warn)
    expect(warnings).toEqual([])
  })
})

test('a request that upgrades to a WebSocket opens none under a grant', async () => {
  const { app, verifier, issuer, ledger, seen } = setUp()
  await app.register(hallpass, { verifier })
  app.get('/orders/:id', READ, async (request) => {
    seen.push(request.url)
    return {}
  })
  await app.ready()
  const server = createServer((req, res) => app.routing(req, res))
  // What WebSocket plugins do: the upgrade goes through the routes, and the handler takes the socket over.
  server.on('upgrade', (req, socket) => {
    void app.inject({ method: 'GET', url: req.url ?? '/', headers: req.headers }).then(({ statusCode }) => {
      socket.end(`HTTP/1.1 ${statusCode} X\r\nconnection: close\r\n\r\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const upgrade = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13']
  const request = read(issuer, { headers: (t, p) => ['authorization', `DPoP ${t}`, 'dpop', p, ...upgrade] })
  expect([(await sendRaw(port, request)).status, seen, ledger.requests]).toEqual([400, [], []])
})
