import { defineApi } from '@hallpass/core'
import { TEST_PURPOSE, testWorld, type WireAgent } from '@hallpass/testing'
import { requireGrant as requireExpressGrant } from '@hallpass/verifier/express'
import { hallpass } from '@hallpass/verifier/fastify'
import { requireGrant as requireHonoGrant } from '@hallpass/verifier/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { send } from '../stage/send.ts'
import { tokenOf } from '../stage/stage.ts'

const AUDIENCE = 'https://orders.test'
const api = defineApi({
  audience: AUDIENCE,
  actions: {
    'order.update': { route: 'POST /orders/{id}', resource: 'order:{id}', risk: 'write' },
    'order.search': {
      route: 'GET /customers/{customer}/orders',
      resource: 'customer:{customer}',
      risk: 'read',
      parameters: z.object({ status: z.enum(['open', 'closed']), limit: z.string().optional() }),
    },
  },
})

async function attacker() {
  const world = testWorld({ api })
  const agent: WireAgent = world.wire()
  const task = tokenOf(await agent.open(TEST_PURPOSE))
  const grant = async (action: string, resource: string, parameters = {}) =>
    tokenOf(await agent.exchange(task, { audience: AUDIENCE, action, resource, parameters }))
  const fields = (token: string, method: string, target: string) => {
    const [path = '', query = ''] = target.split('?')
    return ['authorization', `DPoP ${token}`, 'dpop', agent.proof({ method, url: AUDIENCE + path, token, query })]
  }
  return { verifier: world.verifier(AUDIENCE), grant, fields }
}

describe('what a framework does behind the guard', () => {
  test('hallpass() hands on route parameters and query as they were checked, whatever a schema makes of them', async () => {
    const { verifier, grant, fields } = await attacker()
    const app = fastify()
    await app.register(hallpass, { verifier })
    const seen: unknown[] = []
    const schema = {
      params: { type: 'object', properties: { customer: { type: 'integer' } } },
      querystring: {
        type: 'object',
        properties: { status: { type: 'string' }, limit: { type: 'integer', default: 100000 } },
      },
    }
    app.get('/customers/:customer/orders', { schema, config: { hallpass: 'order.search' } }, async (request) => {
      seen.push({ ...(request.params as object) }, { ...(request.query as object) })
      return {}
    })
    const token = await grant('order.search', 'customer:0x10', { status: 'open' })
    const url = '/customers/0x10/orders?status=open'
    const [authorization = '', , dpop = ''] = fields(token, 'GET', url).slice(1)
    const headers = { authorization, dpop }
    const answer = await app.inject({ method: 'GET', url, headers })
    expect(answer.statusCode).toBe(200)
    expect(seen).toEqual([{ customer: '0x10' }, { status: 'open' }])
    await app.close()
  })

  test('requireGrant() of Express refuses to stand before a whole subtree', async () => {
    const { verifier, grant, fields } = await attacker()
    const runs: string[] = []
    const app = express()
    app.all('/{*any}', (_req, _res, next) => next())
    app.use('/orders/:id', requireExpressGrant(verifier, 'order.update'))
    app.post('/orders/:id/refund', (req, res) => {
      runs.push(req.path)
      res.json({})
    })
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const token = await grant('order.update', 'order:1')
    const target = '/orders/1/refund'
    const answer = await send(port, {
      method: 'POST',
      target,
      headers: [...fields(token, 'POST', target), 'content-length', '0'],
    })
    expect([answer.status, runs]).toEqual([500, []])
    server.closeAllConnections()
    server.close()
  })

  test('requireGrant() of Hono refuses to stand before a whole subtree', async () => {
    const { verifier, grant, fields } = await attacker()
    const runs: string[] = []
    const app = new Hono()
    app.use('/orders/:id/*', requireHonoGrant(verifier, 'order.update'))
    app.post('/orders/:id/refund', (c) => {
      runs.push(c.req.path)
      return c.json({})
    })
    app.onError((error) => Response.json({ code: (error as { code?: string }).code }, { status: 500 }))
    const token = await grant('order.update', 'order:1')
    const [authorization = '', , dpop = ''] = fields(token, 'POST', '/orders/1/refund').slice(1)
    const answer = await app.request(`${AUDIENCE}/orders/1/refund`, {
      method: 'POST',
      headers: { authorization, dpop },
    })
    expect([answer.status, await answer.json(), runs]).toEqual([500, { code: 'route-mismatch' }, []])
  })
})
