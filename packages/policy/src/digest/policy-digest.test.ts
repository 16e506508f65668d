import { decimal, defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { base, bot, defineLoosely } from '../../test/orders.ts'

const rule = { id: 'one', action: 'refund.create', effect: 'permit', when: () => true }
const other = { id: 'two', action: 'order.read', effect: 'permit' }

const digestOf = (changes: object = {}): string => defineLoosely({ rules: [rule, other], ...changes }).digest

const refundsOf = (scale: number) =>
  defineApi({
    audience: 'https://orders.example',
    actions: {
      'refund.create': { resource: 'order:{id}', risk: 'write', parameters: z.object({ amount: decimal({ scale }) }) },
      'order.read': { resource: 'order:{id}', risk: 'read' },
    },
  })

describe('digest', () => {
  test('is the same for the same policy, in whatever order it is written', () => {
    expect(digestOf()).toMatch(/^sha-256:[\w-]{43}$/)
    expect(digestOf({ rules: [other, rule], purposes: ['triage', 'support-ticket'] })).toBe(digestOf())
    expect(digestOf({ agents: Object.fromEntries(Object.entries(base.agents).toReversed()) })).toBe(digestOf())
  })

  test.each([
    ['the version', { version: '2' }],
    ['a purpose', { purposes: ['support-ticket', 'triage', 'audit'] }],
    ['an environment', { environments: ['production'] }],
    ['an owner', { agents: { ...base.agents, 'support-bot': { ...bot, owner: 'team:other' } } }],
    [
      'an identity',
      {
        agents: {
          ...base.agents,
          'support-bot': { ...bot, identity: { ...bot.identity, id: 'spiffe://acme.example/x' } },
        },
      },
    ],
    ['an approver', { agents: { ...base.agents, 'support-bot': { ...bot, approvers: ['group:all'] } } }],
    ['a trigger', { agents: { ...base.agents, 'support-bot': { ...bot, revokeOn: bot.revokeOn.slice(1) } } }],
    ['a predicate', { rules: [{ ...rule, when: () => false }, other] }],
    ['a limit', { rules: [{ ...rule, limits: { ttlSeconds: 29 } }, other] }],
    ['a scope', { rules: [{ ...rule, agents: ['support-bot'] }, other] }],
    ['an effect', { rules: [{ ...rule, effect: 'approve' }, other] }],
    ['a default', { defaults: { write: { ttlSeconds: 29 } } }],
    ['a fact', { facts: { account: { load: () => 1, timeoutMs: 5 } } }],
    ['one rule less', { rules: [rule] }],
    ['the api', { api: refundsOf(2) }],
  ])('changes with %s', (_, changes) => {
    expect(digestOf(changes)).not.toBe(digestOf())
  })

  test('does not see what a function closes over', () => {
    const limited = (cap: string) => (r: { parameters: { amount: { lte(text: string): boolean } } }) =>
      r.parameters.amount.lte(cap)
    const [one, two] = ['50.00', '5000.00'].map((cap) => digestOf({ rules: [{ ...rule, when: limited(cap) }] }))
    expect(one).toBe(two)
  })
})
