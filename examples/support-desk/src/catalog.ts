import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'

export const orders = defineApi({
  audience: 'https://orders.example',
  title: 'Orders',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read', title: 'Read an order' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      title: 'Refund part of an order',
      parameters: z.object({
        amount: decimal({ scale: 2, unit: 'EUR' }),
        reason: z.enum(['damaged', 'late', 'goodwill']),
      }),
    },
    'order.cancel': {
      route: 'POST /orders/{id}/cancel',
      resource: 'order:{id}',
      risk: 'critical',
      title: 'Cancel an order',
    },
  },
})

export const inventory = defineApi({
  audience: 'https://inventory.example',
  title: 'Inventory',
  actions: {
    'stock.read': { route: 'GET /stock/{sku}', resource: 'stock:{sku}', risk: 'read', title: 'Look up stock' },
    'stock.reserve': {
      route: 'POST /stock/{sku}/reservations',
      resource: 'stock:{sku}',
      risk: 'write',
      title: 'Reserve stock',
      parameters: z.object({ quantity: decimal({ scale: 0, unit: 'piece' }) }),
    },
  },
})
