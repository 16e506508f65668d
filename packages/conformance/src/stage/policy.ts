import { definePolicy } from '@hallpass/policy'
import { testIdentity } from '@hallpass/testing'
import { orders, stock } from './api.ts'

const identity = testIdentity('placeholder', { audience: 'https://broker.test', clock: () => 0 }).registered
/** Nothing sends it: the scenarios attack for longer than any other trigger would let them. */
const revokeOn = [{ on: 'signal', name: 'drill', effect: 'end-task' }] as const
const agent = { owner: 'team:support', identity, approvers: ['group:leads'], revokeOn } as const

const counted = <N extends 1 | 7 | 100>(calls: N) =>
  ({
    id: `item-${calls}`,
    action: 'item.update',
    effect: 'permit',
    purposes: [`count-${calls}`],
    limits: { calls, ttlSeconds: 600 },
    grant: { parameters: { item: { any: true }, quantity: { max: '9' } } },
  }) as const

/** What the last predicate was shown. */
export const shown: { request?: unknown } = {}

/** Rules that give each scenario what it needs, told apart by purpose. The test world brings its own keys. */
export const policy = definePolicy({
  api: [orders, stock],
  version: '7',
  purposes: ['support', 'count-1', 'count-7', 'count-100', 'broken', 'late', 'strict', 'contested'],
  agents: {
    'support-bot': { ...agent, maxOpenTasks: 5 },
    'other-bot': { ...agent, maxOpenTasks: 5 },
  },
  facts: { slow: { load: () => new Promise<boolean>(() => {}), timeoutMs: 20 } },
  rules: [
    {
      id: 'read',
      action: 'order.read',
      effect: 'permit',
      purposes: ['support'],
      limits: { calls: 5 },
      grant: { resource: 'class' },
    },
    {
      id: 'search',
      action: 'order.search',
      effect: 'permit',
      purposes: ['support'],
      limits: { calls: 5 },
      grant: { parameters: { status: { one_of: ['open', 'closed'] }, limit: { any: true, optional: true } } },
    },
    {
      id: 'refund',
      action: 'refund.create',
      effect: 'permit',
      purposes: ['support'],
      when: (r) => r.parameters.amount.lte('50.00'),
      limits: { totals: { amount: '80.00' }, agent: { totals: { amount: '120.00' }, windowSeconds: 86_400 } },
    },
    {
      id: 'large-refund',
      action: 'refund.create',
      effect: 'approve',
      purposes: ['support'],
      when: (r) => r.parameters.amount.gt('50.00'),
      approvers: ['group:leads'],
    },
    { id: 'stock', action: 'stock.read', effect: 'permit', purposes: ['support'] },
    counted(1),
    counted(7),
    counted(100),
    {
      id: 'broken',
      action: 'order.read',
      effect: 'permit',
      purposes: ['broken'],
      when: () => {
        throw new Error('broken on purpose')
      },
    },
    {
      id: 'late',
      action: 'order.read',
      effect: 'permit',
      purposes: ['late'],
      needs: ['slow'],
      when: (r) => r.facts.slow,
    },
    {
      id: 'wide',
      action: 'order.read',
      effect: 'permit',
      purposes: ['strict'],
      limits: { calls: 9, ttlSeconds: 300 },
      grant: { resource: 'class' },
    },
    {
      id: 'narrow',
      action: 'order.read',
      effect: 'permit',
      purposes: ['strict'],
      when: (r) => {
        shown.request = r
        return true
      },
      limits: { calls: 2, ttlSeconds: 20 },
    },
    { id: 'yes', action: 'order.read', effect: 'permit', purposes: ['contested'] },
    { id: 'ask', action: 'order.read', effect: 'approve', purposes: ['contested'], approvers: ['group:leads'] },
    { id: 'no', action: 'order.read', effect: 'deny', purposes: ['contested'] },
  ],
})
