import type { AuditSink, Decimal, UseLedger } from '@hallpass/core'
import { decimal, defineApi } from '@hallpass/core'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { grantOf as expressGrant, requireGrant } from './express.ts'
import { grantOf as fastifyGrant, hallpass } from './fastify.ts'
import { requireGrant as honoGuard } from './hono.ts'
import type { Verifier, VerifiedGrant } from './index.ts'
import { createVerifier, guard, protect } from './index.ts'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal(), note: z.string().optional() }),
    },
  },
})
declare const ledger: UseLedger
declare const audit: AuditSink
const create = () => createVerifier({ api: orders, issuer: 'https://broker.example', ledger, audit })
declare const verifier: ReturnType<typeof create>

describe('createVerifier()', () => {
  test('knows the actions of its API', () => {
    expectTypeOf(verifier).toEqualTypeOf<Verifier<typeof orders>>()
    verifier.forAction('refund.create')
    // @ts-expect-error an action the catalog has not
    verifier.forAction('refund.craete')
  })

  test('needs a ledger and a trail', () => {
    // @ts-expect-error without a ledger nothing can be spent
    expectTypeOf(createVerifier({ api: orders, issuer: 'https://broker.example', audit })).toBeObject()
    // @ts-expect-error without a trail nothing is on record
    expectTypeOf(createVerifier({ api: orders, issuer: 'https://broker.example', ledger })).toBeObject()
  })
})

describe('protect()', () => {
  test('types parameters, resource and its parts', () => {
    protect(verifier, 'refund.create', (_request, { grant }) => {
      expectTypeOf(grant.parameters.amount).toEqualTypeOf<Decimal>()
      expectTypeOf(grant.parameters.note).toEqualTypeOf<string | undefined>()
      expectTypeOf(grant.resource).toEqualTypeOf<`order:${string}`>()
      expectTypeOf(grant.resourceParts).toEqualTypeOf<{ readonly id: string }>()
      expectTypeOf(grant.action).toEqualTypeOf<'refund.create'>()
      // @ts-expect-error a parameter the action has not
      void grant.parameters.amonut
      return new Response()
    })
  })

  test('has no grant where refusals are only observed', () => {
    protect(verifier, 'order.read', {
      observeOnlyUntil: new Date(),
      handler: (_request, call) => {
        expectTypeOf(call).extract<undefined>().toBeUndefined()
        // @ts-expect-error there may be no call
        void call.grant
        return new Response()
      },
    })
  })

  test('a grant cannot be made by hand', () => {
    const grant = {
      id: 'gr_1',
      txn: 'tsk_1',
      agent: 'a',
      owner: 'o',
      subject: 'a',
      action: 'order.read',
      resource: 'order:1',
      resourceParts: {},
      parameters: {},
      usesLeft: 1,
      event: 'ev_1',
      expiresAt: 0,
      giveBack: async () => true,
    }
    // @ts-expect-error only a verifier proves
    expectTypeOf(grant).toExtend<VerifiedGrant>()
  })
})

describe('guard()', () => {
  test('returns what the function returns', () => {
    const guarded = guard(verifier, 'order.read', () => 42)
    expectTypeOf<Awaited<ReturnType<typeof guarded.call>>>()
      .extract<{ ok: true }>()
      .toHaveProperty('value')
      .toEqualTypeOf<number>()
  })
})

describe('requireGrant() for Express', () => {
  const app = express()
  test('leaves the types of the handler behind it alone', () => {
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), (req, res) => {
      expectTypeOf(req.params.id).toEqualTypeOf<string>()
      // @ts-expect-error the route has no such parameter
      void req.params.order
      res.json({ amount: expressGrant(verifier, 'refund.create', req).parameters.amount.toString() })
    })
    // @ts-expect-error an action the catalog has not
    requireGrant(verifier, 'refund.craete')
  })

  test('types the grant by the action it is asked for', () => {
    app.get('/orders/:id', requireGrant(verifier, 'order.read'), (req) => {
      expectTypeOf(expressGrant(verifier, 'refund.create', req).parameters.amount).toEqualTypeOf<Decimal>()
      expectTypeOf(expressGrant(verifier, 'order.read', req).resource).toEqualTypeOf<`order:${string}`>()
    })
  })
})

describe('hallpass() for Fastify', () => {
  test('takes a verifier of any API, and types the grant', () => {
    const app = fastify()
    void app.register(hallpass, { verifier, everyRouteDeclares: true })
    app.post('/orders/:id/refund', { config: { hallpass: 'refund.create' } }, async (request) =>
      expectTypeOf(fastifyGrant(verifier, 'refund.create', request).parameters.amount).toEqualTypeOf<Decimal>(),
    )
    // @ts-expect-error a declaration is a name, false or an object
    app.get('/x', { config: { hallpass: 42 } }, async () => '')
  })
})

describe('requireGrant() for Hono', () => {
  test('types c.var', () => {
    new Hono().post('/orders/:id/refund', honoGuard(verifier, 'refund.create'), (c) => {
      expectTypeOf(c.var.grant.parameters.amount).toEqualTypeOf<Decimal>()
      expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
      return c.text('')
    })
  })
})
