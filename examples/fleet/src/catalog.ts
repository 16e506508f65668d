import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'

export const orders = defineApi({
  audience: 'https://orders.example',
  title: 'Orders',
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      title: 'Refund part of an order',
      parameters: z.object({ amount: decimal({ scale: 2, unit: 'EUR' }) }),
    },
  },
})
