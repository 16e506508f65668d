import { defineApi } from '@hallpass/core'

/** Replace it by yours. */
export const orders = defineApi({
  audience: 'https://orders.example',
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})
