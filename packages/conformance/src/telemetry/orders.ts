import { decimal, defineApi, oidc } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { z } from 'zod'

export const orders = defineApi({
  audience: 'https://orders.test',
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

export const policy = definePolicy({
  api: orders,
  version: '7',
  purposes: ['support-ticket'],
  agents: {
    'support-bot': {
      owner: 'team:support',
      identity: oidc({ issuer: 'https://login.test', audience: 'https://broker.test', subject: 'support-bot' }),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
    },
  },
  rules: [
    { id: 'read', action: 'order.read', effect: 'permit' },
    { id: 'refund', action: 'refund.create', effect: 'permit', when: (r) => r.parameters.amount.lte('50.00') },
  ],
})
