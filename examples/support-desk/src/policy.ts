import { oidc, privateKeyJwt } from '@hallpass/core'
import { definePolicy, type Trigger } from '@hallpass/policy'
import { inventory, orders } from './catalog.ts'
import type { DeskSetup } from './desk/setup.ts'

/** Yours would be `defaultTriggers`: they end this agent's task at the third attack below, and there are many more to show. */
const patientTriggers: [Trigger, ...Trigger[]] = [
  { on: 'refused-requests', count: 1000, windowSeconds: 60, effect: 'quarantine-agent' },
  { on: 'inactivity', seconds: 900, effect: 'end-task' },
]

/** Support may read, refund a little and reserve stock. Everything else is denied because no rule says otherwise. */
export const supportPolicy = (setup: Pick<DeskSetup, 'issuer' | 'broker' | 'publicKeys'>) =>
  definePolicy({
    api: [orders, inventory],
    version: '2026-11-21',
    purposes: ['support-ticket', 'expiry-drill'],
    agents: {
      'support-bot': {
        owner: 'team:support',
        identity: oidc({ issuer: setup.issuer, audience: setup.broker, subject: 'support-bot-workload' }),
        approvers: ['group:support-leads'],
        revokeOn: patientTriggers,
        maxOpenTasks: 100,
      },
      'night-bot': {
        owner: 'team:support',
        identity: privateKeyJwt({
          audience: setup.broker,
          subject: 'night-bot',
          jwks: { keys: [setup.publicKeys['night-bot']] },
        }),
        approvers: ['group:support-leads'],
        revokeOn: patientTriggers,
      },
    },
    rules: [
      {
        id: 'read-orders',
        action: 'order.read',
        effect: 'permit',
        purposes: ['support-ticket'],
        limits: { ttlSeconds: 120, calls: 5 },
        grant: { resource: 'class' },
      },
      {
        id: 'small-refund',
        action: 'refund.create',
        effect: 'permit',
        when: (r) => r.parameters.amount.lte('50.00'),
        limits: { ttlSeconds: 30, calls: 1, totals: { amount: '80.00' } },
      },
      {
        id: 'large-refund',
        action: 'refund.create',
        effect: 'approve',
        when: (r) => r.parameters.amount.gt('50.00'),
        approvers: ['group:support-leads'],
      },
      { id: 'read-stock', action: 'stock.read', effect: 'permit', limits: { ttlSeconds: 60, calls: 3 } },
      {
        id: 'reserve-stock',
        action: 'stock.reserve',
        effect: 'permit',
        limits: { ttlSeconds: 60, calls: 3 },
        grant: { parameters: { quantity: { max: '5' } } },
      },
      {
        id: 'drill-read',
        action: 'order.read',
        effect: 'permit',
        purposes: ['expiry-drill'],
        limits: { ttlSeconds: 1 },
      },
      {
        id: 'broken',
        action: 'order.cancel',
        effect: 'permit',
        when: () => {
          throw new Error('this rule is broken on purpose')
        },
      },
    ],
  })
