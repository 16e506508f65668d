import { oidc } from '@hallpass/core'
import type { WorkloadIdentity } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { AGENT, OWNER } from './grant.ts'
import { ISSUER, ordersApi } from './orders-api.ts'

export const PURPOSE = 'support-ticket'

/** What is there beside what is asked for. */
export interface Beside {
  readonly agents: number
  /** About the action asked for, all of them false: each has to be looked at. */
  readonly rules: number
  /** About another action. */
  readonly otherRules: number
}
const NOTHING: Beside = { agents: 0, rules: 0, otherRules: 0 }

const never = (action: 'order.read' | 'refund.create', index: number) =>
  ({
    id: `${action}-${index}`,
    action,
    effect: 'permit',
    when: () => index < 0,
    limits: { calls: 1, ttlSeconds: 30 },
  }) as const

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** One agent that may read orders and refund a little. */
export const ordersPolicy = (identity: WorkloadIdentity, { agents, rules, otherRules }: Beside = NOTHING) =>
  definePolicy({
    api: ordersApi,
    version: '1',
    purposes: [PURPOSE],
    agents: {
      ...Object.fromEntries(
        times(agents, (index) => {
          const issuer = 'https://workloads.example'
          const other = oidc({ issuer, audience: ISSUER, subject: `agent-${index}` })
          const registered = { owner: OWNER, approvers: ['group:leads'], revokeOn: defaultTriggers } as const
          return [`agent-${index}`, { ...registered, identity: other }]
        }),
      ),
      [AGENT]: { owner: OWNER, identity, approvers: ['group:leads'], revokeOn: defaultTriggers, maxOpenTasks: 64 },
    },
    rules: [
      ...times(rules, (index) => never('order.read', index)),
      ...times(otherRules, (index) => never('refund.create', index)),
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
