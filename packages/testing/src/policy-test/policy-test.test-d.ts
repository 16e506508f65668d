/* eslint-disable vitest/expect-expect -- here the compiler asserts */
import { decimal, defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { policyTest } from '@hallpass/testing'
import '@hallpass/testing/vitest'
import { expect, test } from 'vitest'
import { z } from 'zod'

const api = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})
const identity = {
  kind: 'spiffe',
  id: 'spiffe://a.example/b',
  audience: 'https://b.example',
  bundle: 'https://a.example',
} as const
const agents = { bot: { owner: 'team:a', identity, approvers: ['a'], revokeOn: defaultTriggers } } as const
const policy = definePolicy({ api, version: '1', purposes: ['ticket'], agents, rules: [] })
const t = policyTest(policy, { agent: 'bot', purpose: 'ticket', now: 0 })

test('a policy test knows the words of its policy', () => {
  t.ask('order.read', { resource: 'order:1' })
  t.ask('refund.create', { resource: 'order:1', parameters: { amount: '5.00' }, purpose: 'ticket' })
  // @ts-expect-error 'bat' is no agent
  policyTest(policy, { agent: 'bat', purpose: 'ticket', now: 0 })
  // @ts-expect-error 'tocket' is no purpose
  policyTest(policy, { agent: 'bot', purpose: 'tocket', now: 0 })
  // @ts-expect-error 'order.red' is no action
  t.ask('order.red', { resource: 'order:1' })
  // @ts-expect-error 'ordr' is no kind
  t.ask('order.read', { resource: 'ordr:1' })
  // @ts-expect-error the amount is missing
  t.ask('refund.create', { resource: 'order:1' })
  // @ts-expect-error amounts are text
  t.ask('refund.create', { resource: 'order:1', parameters: { amount: 5 } })
  // @ts-expect-error 'amonut' is no parameter
  t.ask('refund.create', { resource: 'order:1', parameters: { amonut: '5.00' } })
})

test('matchers are typed', () => {
  expect(t.ask('order.read', { resource: 'order:1' })).toPermit({ calls: 1, totals: { amount: '5.00' } })
  expect(t.ask('order.read', { resource: 'order:1' })).toDeny('no-rule-matched')
  // @ts-expect-error 'cals' is no member
  expect(t.ask('order.read', { resource: 'order:1' })).toPermit({ cals: 1 })
})
