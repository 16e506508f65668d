import { decimal, defineApi } from '@hallpass/core'
import { z } from 'zod'
import { defaultTriggers } from '../src/agent/default-triggers.ts'
import { definePolicy } from '../src/define-policy.ts'
import type { Policy } from '../src/policy.ts'
import type { DecisionRequest } from '../src/request/decision-request.ts'

export const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.search': {
      route: 'GET /customers/{id}/orders',
      resource: 'customer:{id}',
      risk: 'read',
      parameters: z.object({ status: z.enum(['open', 'closed']).optional() }),
    },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal({ unit: 'EUR' }), note: z.string().optional() }),
    },
    'credit.create': {
      route: 'POST /orders/{id}/credit',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal({ unit: 'EUR' }), fee: decimal().optional() }),
    },
    'order.delete': { route: 'DELETE /orders/{id}', resource: 'order:{id}', risk: 'critical' },
  },
})

export const identity = {
  kind: 'spiffe',
  id: 'spiffe://acme.example/agents/support-bot',
  audience: 'https://broker.example',
  bundle: 'https://acme.example/bundle',
} as const

export const bot = { owner: 'team:support', identity, approvers: ['group:leads'], revokeOn: defaultTriggers } as const

/** What every policy of these tests starts with. */
export const base = {
  api: orders,
  version: '1',
  purposes: ['support-ticket', 'triage'],
  agents: {
    'support-bot': bot,
    'night-bot': { ...bot, owner: 'team:night', identity: { ...identity, id: `${identity.id}/night` } },
  },
} as const

/** 2026-11-21T10:00:00Z, a Saturday. */
export const now = 1_795_255_200

/** A request for a refund of 42.00 on order:123, with what a test changes. */
export const request = (changes: Partial<DecisionRequest> = {}): DecisionRequest => ({
  agent: 'support-bot',
  identity: { kind: 'spiffe', iss: 'spiffe://acme.example', sub: identity.id, claims: {} },
  purpose: 'support-ticket',
  action: 'refund.create',
  resource: 'order:123',
  parameters: { amount: '42.00' },
  task: { openedAt: now - 60, deadline: now + 3540, uses: {}, spent: {}, refusals: 0 },
  now,
  ...changes,
})

/** The same for reading an order. */
export const readRequest = (changes: Partial<DecisionRequest> = {}): DecisionRequest =>
  request({ action: 'order.read', parameters: {}, ...changes })

/** A policy as a cast or plain JavaScript could make it: nothing is checked before it runs. */
export const defineLoosely = (changes: object): Policy => definePolicy({ ...base, rules: [], ...changes })
