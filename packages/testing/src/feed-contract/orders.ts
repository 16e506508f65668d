import { defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import type { TestIdentity } from '../identity/test-identity.ts'
import { TEST_AGENT, TEST_PURPOSE } from '../world/permit-everything.ts'

export const AUDIENCE = 'https://orders.test'
export const OWNER = 'team:test'
export const VERSION = '1'

export const orders = defineApi({
  audience: AUDIENCE,
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})

/** Grants live as long as they may, so that what refuses them is never their age. */
export const ordersPolicy = (agent: TestIdentity) =>
  definePolicy({
    api: orders,
    version: VERSION,
    purposes: [TEST_PURPOSE],
    agents: {
      [TEST_AGENT]: {
        owner: OWNER,
        identity: agent.registered,
        approvers: ['group:test'],
        revokeOn: defaultTriggers,
        maxOpenTasks: 1000,
      },
    },
    rules: [{ id: 'permit-reads', risk: 'read', effect: 'permit', limits: { calls: 1000, ttlSeconds: 900 } }],
  })

/** A grant, and the task it was issued in. */
export interface HeldGrant {
  readonly token: string
  readonly jti: string
  readonly txn: string
  readonly task: string
}
