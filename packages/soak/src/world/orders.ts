import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'

/** What the replicas guard. The name stands for all of them: which one a request reaches is the agent's choice. */
export const AUDIENCE = 'https://orders.soak.test'

export const orders = defineApi({
  audience: AUDIENCE,
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal({ unit: 'EUR' }) }),
    },
    'credit.add': {
      route: 'POST /orders/{id}/credit',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal({ unit: 'EUR' }) }),
    },
    'note.add': {
      route: 'POST /orders/{id}/notes',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ text: z.string() }),
    },
    'hint.add': {
      route: 'POST /orders/{id}/hints',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ text: z.string() }),
    },
  },
})

export type ActionName = keyof typeof LIMITS

/** What the policy allows and the checker counts. Totals are of the whole task, in cents. */
export const LIMITS = {
  'refund.create': { uses: 1, ttlSeconds: 30, path: 'refund', total: 6000 },
  'credit.add': { uses: 7, ttlSeconds: 30, path: 'credit', total: 3000 },
  'note.add': { uses: 100, ttlSeconds: 30, path: 'notes', total: undefined },
  // Short, so that grants end while their uses are under way.
  'hint.add': { uses: 7, ttlSeconds: 3, path: 'hints', total: undefined },
} as const

export const ACTIONS = Object.keys(LIMITS) as readonly ActionName[]
