/* eslint-disable vitest/expect-expect, no-self-assign -- here the compiler asserts */
import { decimal, defineApi } from '@hallpass/core'
import type { Decimal } from '@hallpass/core'
import { defaultTriggers, definePolicy, mergePolicies } from '@hallpass/policy'
import type { Policy } from '@hallpass/policy'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

const orders = defineApi({
  audience: 'https://orders.example',
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
const mail = defineApi({
  audience: 'https://mail.example',
  actions: {
    'mail.send': {
      route: 'POST /tenants/{tenant}/boxes/{box}/mails',
      resource: 'box:{tenant}.{box}',
      risk: 'write',
      parameters: z.object({ to: z.string(), amount: decimal() }),
    },
  },
})

const identity = {
  kind: 'spiffe',
  id: 'spiffe://acme.example/bot',
  audience: 'https://broker.example',
  bundle: 'https://acme.example/bundle',
} as const
const bot = { owner: 'team:support', identity, approvers: ['group:leads'], revokeOn: defaultTriggers } as const
const base = {
  version: '1',
  purposes: ['support-ticket', 'triage'],
  environments: ['production', 'staging'],
  agents: { 'support-bot': bot },
} as const
const facts = {
  account: { load: async () => ({ tier: 'gold' as 'gold' | 'none' }), timeoutMs: 5 },
  score: { load: () => 3, timeoutMs: 5 },
}

describe('a rule sees what it selects', () => {
  test('one action', () => {
    definePolicy({
      ...base,
      api: orders,
      rules: [
        {
          id: 'one',
          action: 'refund.create',
          effect: 'permit',
          when: (r) => {
            expectTypeOf(r.action).toEqualTypeOf<'refund.create'>()
            expectTypeOf(r.resource).toEqualTypeOf<`order:${string}`>()
            expectTypeOf(r.resourceParts).toEqualTypeOf<{ readonly id: string }>()
            expectTypeOf(r.parameters.amount).toEqualTypeOf<Decimal>()
            expectTypeOf(r.purpose).toEqualTypeOf<'support-ticket' | 'triage'>()
            expectTypeOf(r.agent).toEqualTypeOf<'support-bot'>()
            expectTypeOf(r.environment).toEqualTypeOf<'production' | 'staging'>()
            return (
              r.task.spent('refund.create', 'amount').add(r.parameters.amount).lte('5') && r.task.uses('order.read') > 0
            )
          },
          limits: { totals: { amount: '5.00' } },
          grant: { parameters: { amount: { max: '5.00' }, note: { prefix: 'x', optional: true } } },
          resources: ['order:*', 'order:1'],
        },
      ],
    })
  })

  test('several actions, of several APIs', () => {
    definePolicy({
      ...base,
      api: [orders, mail],
      rules: [
        {
          id: 'several',
          actions: ['refund.create', 'mail.send'],
          effect: 'approve',
          when: (r) => {
            expectTypeOf(r.action).toEqualTypeOf<'refund.create' | 'mail.send'>()
            expectTypeOf(r.parameters.amount).toEqualTypeOf<Decimal>()
            if (r.action === 'mail.send')
              expectTypeOf(r.resourceParts).toEqualTypeOf<{ readonly tenant: string; readonly box: string }>()
            return r.action === 'mail.send' ? r.parameters.to === 'a' : r.resource === 'order:1'
          },
          limits: { totals: { amount: '5.00' } },
        },
        { id: 'other', action: 'order.read', effect: 'permit', when: (r) => r.resourceParts.id === '1' },
      ],
    })
  })

  test('a tier of actions', () => {
    definePolicy({
      ...base,
      api: orders,
      rules: [
        {
          id: 'tier',
          risk: 'read',
          effect: 'permit',
          when: (r) => r.action === 'order.read' && r.resource !== 'order:1',
        },
      ],
    })
  })

  test('a tier of actions has their resources', () => {
    const tier = { id: 'tier', risk: 'write', effect: 'deny' } as const
    definePolicy({ ...base, api: orders, rules: [{ ...tier, resources: ['order:666', 'order:*'] }] })
    // @ts-expect-error 'ordr' is no kind
    definePolicy({ ...base, api: orders, rules: [{ ...tier, resources: ['ordr:666'] }] })
  })

  test('the facts it needs', () => {
    definePolicy({
      ...base,
      api: orders,
      facts,
      rules: [
        {
          id: 'a',
          action: 'refund.create',
          effect: 'permit',
          needs: ['account'],
          when: (r) => r.facts.account.tier === 'gold',
        },
        {
          id: 'b',
          actions: ['order.read', 'refund.create'],
          effect: 'deny',
          needs: ['score', 'account'],
          when: (r) => r.facts.score > 3,
        },
      ],
    })
  })
})

describe('what does not compile', () => {
  const define = { ...base, api: orders, facts }
  const rule = { id: 'one', action: 'refund.create', effect: 'permit' } as const

  test('a misspelt word', () => {
    // @ts-expect-error 'refund.creat' is no action
    definePolicy({ ...define, rules: [{ ...rule, action: 'refund.creat' }] })
    // @ts-expect-error 'credit.create' is no action
    definePolicy({ ...define, rules: [{ id: 'one', actions: ['order.read', 'credit.create'], effect: 'permit' }] })
    // @ts-expect-error 'low' is no risk
    definePolicy({ ...define, rules: [{ id: 'one', risk: 'low', effect: 'permit' }] })
    // @ts-expect-error 'amonut' is no parameter
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.parameters.amonut.lte('5') }] })
    // @ts-expect-error 'ordr' is no kind
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.resource === 'ordr:1' }] })
    // @ts-expect-error 'ordr' is no kind
    definePolicy({ ...define, rules: [{ ...rule, resources: ['ordr:*'] }] })
    // @ts-expect-error 'tirage' is no purpose
    definePolicy({ ...define, rules: [{ ...rule, purposes: ['tirage'] }] })
    // @ts-expect-error 'tirage' is no purpose
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.purpose === 'tirage' }] })
    // @ts-expect-error 'suport-bot' is no agent
    definePolicy({ ...define, rules: [{ ...rule, agents: ['suport-bot'] }] })
    // @ts-expect-error 'prod' is no environment
    definePolicy({ ...define, rules: [{ ...rule, environments: ['prod'] }] })
    // @ts-expect-error 'acount' is no fact
    definePolicy({ ...define, rules: [{ ...rule, needs: ['acount'] }] })
    // @ts-expect-error 'efect' is no member
    definePolicy({ ...define, rules: [{ id: 'one', action: 'refund.create', efect: 'permit' }] })
    // @ts-expect-error 'allow' is no effect
    definePolicy({ ...define, rules: [{ id: 'one', action: 'refund.create', effect: 'allow' }] })
    // @ts-expect-error 'note' is not in a request
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.note === 'please' }] })
  })

  test('a predicate that is not synchronous, or no boolean', () => {
    const later = (): Promise<boolean> => Promise.resolve(true)
    // @ts-expect-error asynchronous
    definePolicy({ ...define, rules: [{ ...rule, when: async () => true }] })
    // @ts-expect-error asynchronous through inference
    definePolicy({ ...define, rules: [{ ...rule, when: () => later() }] })
    // @ts-expect-error asynchronous by name
    definePolicy({ ...define, rules: [{ ...rule, when: later }] })
    // @ts-expect-error sometimes undefined
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.parameters.note?.startsWith('a') }] })
    // @ts-expect-error truthy
    definePolicy({ ...define, rules: [{ ...rule, when: () => 1 }] })
  })

  test('a decimal under an operator', () => {
    // @ts-expect-error compare with lte
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.parameters.amount <= '50' }] })
    // @ts-expect-error compare with lte
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.parameters.amount <= 50 }] })
    // @ts-expect-error compare with eq
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.parameters.amount === '50' }] })
  })

  test('a total over what is no decimal, a constraint that does not fit', () => {
    // @ts-expect-error 'note' is text
    definePolicy({ ...define, rules: [{ ...rule, limits: { totals: { note: '5' } } }] })
    // @ts-expect-error caps are text
    definePolicy({ ...define, rules: [{ ...rule, limits: { totals: { amount: 5 } } }] })
    // @ts-expect-error a decimal takes min and max
    definePolicy({ ...define, rules: [{ ...rule, grant: { parameters: { amount: { prefix: '5' } } } }] })
    const amount = { any: true } as const
    // @ts-expect-error text takes no range
    definePolicy({ ...define, rules: [{ ...rule, grant: { parameters: { amount, note: { max: '5' } } } }] })
    // @ts-expect-error 'reason' is no parameter
    definePolicy({ ...define, rules: [{ ...rule, grant: { parameters: { amount, reason: amount } } }] })
    // @ts-expect-error nothing totals 'note'
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => r.task.spent('refund.create', 'note').lte('5') }] })
  })

  test('a rule that changes its request', () => {
    // @ts-expect-error read-only
    definePolicy({ ...define, rules: [{ ...rule, when: (r) => (r.parameters.amount = r.parameters.amount).lte('5') }] })
  })

  test('a fact the rule does not need, or an environment nobody declared', () => {
    // @ts-expect-error 'account' is not needed
    definePolicy({ ...define, rules: [{ ...rule, needs: ['score'], when: (r) => r.facts.account.tier === 'gold' }] })
    const { environments: _environments, ...without } = define
    // @ts-expect-error no environments
    definePolicy({ ...without, rules: [{ ...rule, when: (r) => r.environment === 'production' }] })
    // @ts-expect-error no environments
    definePolicy({ ...without, rules: [{ ...rule, environments: ['production'] }] })
  })

  test('a rule about nothing, or about two things', () => {
    // @ts-expect-error no selection
    definePolicy({ ...define, rules: [{ id: 'one', effect: 'permit' }] })
    // @ts-expect-error two selections
    definePolicy({ ...define, rules: [{ ...rule, risk: 'read' }] })
  })

  test('an agent nobody answers for', () => {
    const { owner: _owner, ...unowned } = bot
    const { approvers: _approvers, ...unapproved } = bot
    const { revokeOn: _revokeOn, ...unwatched } = bot
    const { identity: _identity, ...unknown } = bot
    // @ts-expect-error no owner
    definePolicy({ ...define, agents: { bot: unowned }, rules: [] })
    // @ts-expect-error no approvers
    definePolicy({ ...define, agents: { bot: unapproved }, rules: [] })
    // @ts-expect-error an empty approval path
    definePolicy({ ...define, agents: { bot: { ...bot, approvers: [] } }, rules: [] })
    // @ts-expect-error no triggers
    definePolicy({ ...define, agents: { bot: unwatched }, rules: [] })
    // @ts-expect-error no trigger in it
    definePolicy({ ...define, agents: { bot: { ...bot, revokeOn: [] } }, rules: [] })
    // @ts-expect-error no identity
    definePolicy({ ...define, agents: { bot: unknown }, rules: [] })
    // @ts-expect-error 'tirage' is no purpose
    definePolicy({ ...define, agents: { bot: { ...bot, purposes: ['tirage'] } }, rules: [] })
  })
})

describe('a policy knows its words', () => {
  const one = definePolicy({ ...base, api: orders, rules: [] })
  const two = definePolicy({ ...base, api: [mail], purposes: ['mailing'], agents: { 'mail-bot': bot }, rules: [] })

  test('of one', () => {
    expectTypeOf(one.purposes).toEqualTypeOf<readonly ('support-ticket' | 'triage')[]>()
    expectTypeOf<keyof typeof one.agents>().toEqualTypeOf<'support-bot'>()
    expectTypeOf(one).toExtend<Policy>()
  })

  test('of several', () => {
    const both = mergePolicies(one, two)
    expectTypeOf(both.purposes[0]).toEqualTypeOf<'support-ticket' | 'triage' | 'mailing' | undefined>()
    expectTypeOf<keyof typeof both.agents>().toEqualTypeOf<'support-bot' | 'mail-bot'>()
    expectTypeOf(both).toExtend<Policy>()
  })
})
