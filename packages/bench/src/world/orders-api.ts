import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'

export const ISSUER = 'https://broker.example'
export const AUDIENCE = 'https://orders.example'

/** The API that every row protects: one read that a grant may repeat, one write that it may not. */
export const ordersApi = defineApi({
  audience: AUDIENCE,
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})
