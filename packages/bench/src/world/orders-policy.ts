import type { WorkloadIdentity } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { AGENT, OWNER } from './grant.ts'
import { ordersApi } from './orders-api.ts'

export const PURPOSE = 'support-ticket'

/** One agent that may read orders and refund a little. */
export const ordersPolicy = (identity: WorkloadIdentity) =>
  definePolicy({
    api: ordersApi,
    version: '1',
    purposes: [PURPOSE],
    agents: {
      [AGENT]: { owner: OWNER, identity, approvers: ['group:leads'], revokeOn: defaultTriggers, maxOpenTasks: 64 },
    },
    rules: [
      { id: 'read-orders', action: 'order.read', effect: 'permit', limits: { calls: 100_000, ttlSeconds: 900 } },
      {
        id: 'small-refund',
        action: 'refund.create',
        effect: 'permit',
        when: (r) => r.parameters.amount.lte('50.00'),
        limits: { calls: 1, ttlSeconds: 30 },
      },
    ],
  })
