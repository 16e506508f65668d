import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { defineApi } from '@hallpass/core'
import { TEST_PURPOSE, testWorld } from '@hallpass/testing'
import type { VerifiedGrant, Verifier } from '@hallpass/verifier'
import { grantOf, requireGrant } from '@hallpass/verifier/express'
import { grantOf as grantOfFastify, hallpass } from '@hallpass/verifier/fastify'
import { requireGrant as requireHonoGrant } from '@hallpass/verifier/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { send } from '../stage/send.ts'

const AUDIENCE = 'https://orders.test'
const api = defineApi({
  audience: AUDIENCE,
  actions: {
    'order.search': {
      route: 'GET /customers/{customer}/orders',
      resource: 'customer:{customer}',
      risk: 'read',
      parameters: z.object({ status: z.string(), limit: z.string().optional() }),
    },
  },
})

/** What a framework tells its handler by itself, and what the guard checked. */
interface Views {
  readonly framework: { readonly customer: unknown; readonly query: object }
  readonly checked: { readonly customer: unknown; readonly query: object }
}
type Report = (own: Views['framework'], grant: VerifiedGrant) => void
type OrdersVerifier = Verifier<typeof api>

const PATH = '/customers/:customer/orders'
const doors: Readonly<Record<string, (verifier: OrdersVerifier, report: Report) => Promise<RequestListener>>> = {
  async express(verifier, report) {
    const app = express().set('query parser', 'extended')
    app.get(PATH, requireGrant(verifier, 'order.search'), (req, res) => {
      const { params, query } = req
      report({ customer: params['customer'], query: { ...query } }, grantOf(verifier, 'order.search', req) as never)
      res.json({})
    })
    return app
  },
  async fastify(verifier, report) {
    const app = fastify({ routerOptions: { ignoreTrailingSlash: true, caseSensitive: false } })
    await app.register(hallpass, { verifier })
    app.get(PATH, { config: { hallpass: 'order.search' } }, async (request) => {
      const { customer } = request.params as { customer: unknown }
      const query = { ...(request.query as object) }
      report({ customer, query }, grantOfFastify(verifier, 'order.search', request) as never)
      return {}
    })
    await app.ready()
    return (req, res) => app.routing(req, res)
  },
  async hono(verifier, report) {
    const app = new Hono()
    app.get(PATH, requireHonoGrant(verifier, 'order.search'), (c) => {
      report({ customer: c.req.param('customer'), query: c.req.query() }, c.var.grant)
      return c.json({})
    })
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    return (req, res) => void listener(req, res)
  },
}

const customers =
  '1 %31 %2531 1%00 a;b a%3Bb a,b a+b a%20b a%2Bb %C3%A9 e%CC%81 A 1. .1 ~ :x a:b (a) a=b a&b a%26b a%3Fb a%23b %E2%80%8B %C0%AF 1%2F..%2F2 a|b a^b $a @a !a'.split(
    ' ',
  )
const queries =
  'status=open status=open&limit=a+b status=open&limit=%2B1 status=open&limit=a%26status=x status=open&limit= status=open&limit status=open;limit=1 %73tatus=open status=open&limit[]=1 status[a]=1 status=open&limit=a%00b status=%F0%9F%98%80 status=a=b status=__proto__ __proto__=1&status=open status=open&status=shut status=open&%73tatus=shut status=a,b status=open#x status=%C0%AF status=open&& &status=open status=open%26limit=9 status.x=1&status=open constructor=1&status=open'.split(
    ' ',
  )
const targets = [
  ...customers.map((customer) => [customer, 'status=open'] as const),
  ...queries.map((query) => ['1', query] as const),
]

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

test.each(Object.keys(doors))('a handler behind %s sees in its framework what was checked', async (name) => {
  const world = testWorld({ api })
  const agent = world.wire()
  const views: Views[] = []
  const door = doors[name]
  const listener = await door?.(world.verifier(AUDIENCE) as never, (framework, grant) => {
    const { parameters, resourceParts } = grant as unknown as {
      parameters: object
      resourceParts: { customer: string }
    }
    views.push({ framework, checked: { customer: resourceParts.customer, query: parameters } })
  })
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const opened = await agent.open(TEST_PURPOSE)
  for (const [customer, query] of targets) {
    const parameters = Object.fromEntries(new URLSearchParams(query))
    const call = { audience: AUDIENCE, action: 'order.search', resource: `customer:${decoded(customer)}`, parameters }
    const { body } = await agent.exchange(String(opened.body['access_token']), call)
    if (typeof body['access_token'] !== 'string') continue
    const token = body['access_token']
    for (const path of [`/customers/${customer}/orders`, `/Customers/${customer}/orders/`]) {
      const proof = agent.proof({ method: 'GET', url: AUDIENCE + path, token, query })
      const headers = ['authorization', `DPoP ${token}`, 'dpop', proof]
      await send(port, { target: `${path}?${query}`, headers }).catch(() => undefined)
    }
  }
  server.closeAllConnections()
  server.close()
  expect(views.length).toBeGreaterThan(10)
  for (const { framework, checked } of views) expect(framework).toEqual(checked)
})
