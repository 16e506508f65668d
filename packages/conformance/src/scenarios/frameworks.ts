import assert from 'node:assert/strict'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { connect, createServer as createHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createVerifier } from '@hallpass/verifier'
import { checkRoutes, requireGrant } from '@hallpass/verifier/express'
import { hallpass } from '@hallpass/verifier/fastify'
import { requireGrant as requireHonoGrant } from '@hallpass/verifier/hono'
import { memoryTrail } from '@hallpass/core'
import express, { Router } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { once, type Scenario } from '../scenario.ts'
import { orders } from '../stage/api.ts'
import type { OrdersVerifier } from '../stage/doors.ts'
import { send } from '../stage/send.ts'
import type { Stage } from '../stage/stage.ts'

interface Aim {
  readonly target: string
  readonly method?: string
}

const URL_OF = 'https://orders.test'
const verifierOf = (stage: Stage): OrdersVerifier => stage.world.verifier(orders.audience) as OrdersVerifier

const fields = (stage: Stage, token: string, { target, method = 'GET' }: Aim): string[] => [
  'authorization',
  `DPoP ${token}`,
  'dpop',
  stage.agent.proof({ method, url: URL_OF + target, token }),
]

interface Listening {
  readonly port: number
  close(): void
}

async function listen(listener: RequestListener): Promise<Listening> {
  const server = createHttp(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** What a framework makes of a mount, a version of the protocol, a header, before and around the guard. */
export const frameworks: readonly Scenario[] = [
  once(['url.mount'], 'takes no route under a mount with parameters of its own', async (stage) => {
    const verifier = verifierOf(stage)
    const token = await stage.readGrant(await stage.task())
    const runs: string[] = []
    const target = '/t/acme/orders/123'

    const app = express()
    const inner = Router()
    inner.get('/orders/:id', requireGrant(verifier, 'order.read'), (req, res) => {
      runs.push(req.originalUrl)
      res.json({})
    })
    app.use('/t/:tenant', inner)
    const api = await listen(app)
    const answer = await send(api.port, { target, headers: fields(stage, token, { target }) })
    api.close()
    assert.equal(answer.status, 403)
    assert.throws(() => checkRoutes(verifier, app), /parameters of its mount/)

    const hono = new Hono()
    const sub = new Hono()
    sub.get('/orders/:id', requireHonoGrant(verifier, 'order.read'), (c) => {
      runs.push(c.req.path)
      return c.json({})
    })
    hono.route('/t/:tenant', sub)
    const [, authorization = '', , dpop = ''] = fields(stage, token, { target })
    assert.match(String((await hono.request(URL_OF + target, { headers: { authorization, dpop } })).status), /^4/)

    const scoped = fastify()
    await scoped.register(hallpass, { verifier })
    scoped.register(
      async (child) => {
        child.get('/orders/:id', { config: { hallpass: 'order.read' } }, async () => ({}))
      },
      { prefix: '/t/:tenant' },
    )
    await assert.rejects(
      async () => {
        await scoped.ready()
      },
      { code: 'route-mismatch' },
    )
    assert.deepEqual(runs, [])
  }),
  once(['url.http2'], 'checks over HTTP/2 what it checks over HTTP/1.1', async (stage) => {
    const verifier = verifierOf(stage)
    const token = await stage.readGrant(await stage.task())
    const app = fastify({ http2: true })
    await app.register(hallpass, { verifier })
    app.get('/orders/:id', { config: { hallpass: 'order.read' } }, async () => ({}))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const hono = new Hono()
    hono.get('/orders/:id', requireHonoGrant(verifier, 'order.read'), (c) => c.json({}))
    const server = createHttp2(
      getRequestListener((request) => hono.fetch(request), { overrideGlobalObjects: false }) as never,
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    for (const { port } of [app.server.address() as AddressInfo, server.address() as AddressInfo]) {
      const session = connect(`http://127.0.0.1:${port}`)
      const ask = async (target: string, wish: { url?: string; authority?: string } = {}) => {
        const [, authorization = '', , dpop = ''] =
          wish.url === undefined
            ? fields(stage, token, { target })
            : [
                ...fields(stage, token, { target }).slice(0, 3),
                stage.agent.proof({ method: 'GET', url: wish.url, token }),
              ]
        const more = wish.authority === undefined ? {} : { ':authority': wish.authority }
        const stream = session.request({ ':path': target, authorization, dpop, ...more })
        stream.resume()
        return new Promise<number>((resolve) => {
          stream.on('response', (head) => resolve(Number(head[':status'])))
          stream.on('error', () => resolve(400))
        })
      }
      assert.equal(await ask('/orders/123'), 200)
      assert.equal(await ask('/orders/123', { url: `${URL_OF}/orders/123`, authority: 'evil.example' }), 200)
      assert.equal(await ask('/orders/123', { url: 'http://evil.example/orders/123', authority: 'evil.example' }), 401)
      assert.match(String(await ask('//orders/123')), /^4/)
      session.destroy()
    }
    server.close()
    app.server.close()
  }),
  once(['side.override'], 'binds what runs, not what was on the wire', async (stage) => {
    const verifier = verifierOf(stage)
    const token = await stage.readGrant(await stage.task())
    const runs: string[] = []
    const app = express()
    app.use((req, _res, next) => {
      req.method = req.get('x-http-method-override') ?? req.method
      next()
    })
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (req, res) => {
      runs.push(req.method)
      res.json({})
    })
    app.delete('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => void res.json({}))
    const api = await listen(app)
    const ask = (override: string, proven: string) =>
      send(api.port, {
        method: 'POST',
        target: '/orders/123',
        headers: [
          ...fields(stage, token, { target: '/orders/123', method: proven }),
          'x-http-method-override',
          override,
          'content-length',
          '0',
        ],
      })
    assert.equal((await ask('GET', 'POST')).status, 401)
    assert.match(String((await ask('DELETE', 'DELETE')).status), /^403/)
    assert.match(String((await ask('DELETE', 'POST')).status), /^40[13]/)
    assert.deepEqual(runs, [])
    assert.equal((await ask('GET', 'GET')).status, 200)
    api.close()
  }),
  once(['side.unguarded'], 'boots no app with a route that only looks guarded', async (stage) => {
    const verifier = verifierOf(stage)
    const READ = { config: { hallpass: 'order.read' } } as const
    const early = fastify()
    early.get('/orders/:id', READ, async () => ({}))
    early.register(hallpass, { verifier })
    const outside = fastify()
    outside.register(async (child) => {
      await child.register(hallpass, { verifier })
    })
    outside.get('/orders/:id', READ, async () => ({}))
    for (const app of [early, outside]) {
      await assert.rejects(
        async () => {
          await app.ready()
        },
        { code: 'route-mismatch' },
      )
    }
    const app = express()
    app.get('/orders/:id', (_req, res) => void res.json({}))
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (_req, res) => void res.json({}))
    assert.throws(() => checkRoutes(verifier, app), /GET \/orders\/:id has a second route without a guard/)
  }),
  once(['flood.keys'], 'asks an issuer once for a flood of key ids nobody has', async (stage) => {
    let asked = 0
    const server = await listen((req, res) => {
      asked += 1
      const issuer = `http://127.0.0.1:${server.port}`
      const isKeys = req.url === '/jwks'
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(isKeys ? { keys: [] } : { issuer, jwks_uri: `${issuer}/jwks` }))
    })
    const issuer = `http://127.0.0.1:${server.port}`
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger: stage.world.ledger,
      audit: memoryTrail(),
      clock: stage.clock.now,
    })
    const token = await stage.readGrant(await stage.task())
    const [header = '', payload = '', signature = ''] = token.split('.')
    const edit = (part: string, change: object) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url').toString()), ...change })).toString(
        'base64url',
      )
    const flood = () =>
      Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const forged = `${edit(header, { kid: `forged-${index}` })}.${edit(payload, { iss: issuer })}.${signature}`
          const headers = fields(stage, forged, { target: '/orders/123' })
          return verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
        }),
      )
    const reasons = new Set((await flood()).map((verdict) => ('reason' in verdict ? verdict.reason : verdict.kind)))
    assert.deepEqual([...reasons], ['token-key-unknown'])
    for (let second = 0; second < 5; second += 1) {
      stage.clock.advance(1)
      await flood()
    }
    assert.equal(asked, 2, 'one for the metadata, one for the keys')
    server.close()
  }),
]
