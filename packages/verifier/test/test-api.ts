import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'
import { AUDIENCE } from './test-issuer.ts'

/** One action of each kind that requests come in: bare, with a query, with a body, local. */
export const orders = defineApi({
  audience: AUDIENCE,
  title: 'Orders',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.search': {
      route: 'GET /customers/{customer}/orders',
      resource: 'customer:{customer}',
      risk: 'read',
      parameters: z.object({ status: z.enum(['open', 'closed']) }),
    },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal(), note: z.string().optional() }),
    },
    'item.update': {
      route: 'PATCH /orders/{id}/items/{item}',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ item: z.string(), quantity: z.number().int() }),
    },
    'invoice.render': {
      resource: 'invoice:{id}',
      risk: 'read',
      parameters: z.object({ format: z.enum(['pdf', 'html']) }),
    },
  },
})
