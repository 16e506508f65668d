import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'

export const orders = defineApi({
  audience: 'https://orders.test',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.search': {
      route: 'GET /customers/{customer}/orders',
      resource: 'customer:{customer}',
      risk: 'read',
      parameters: z.object({ status: z.enum(['open', 'closed']), limit: decimal({ scale: 0 }).optional() }),
    },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
    'item.update': {
      route: 'PATCH /orders/{id}/items/{item}',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ item: z.string(), quantity: decimal({ scale: 0 }) }),
    },
  },
})

/** Another service of the same broker. */
export const stock = defineApi({
  audience: 'https://stock.test',
  actions: { 'stock.read': { route: 'GET /stock/{sku}', resource: 'stock:{sku}', risk: 'read' } },
})
