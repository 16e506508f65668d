import { decimal, defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { testIdentity } from '@hallpass/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const api = defineApi({
  audience: 'https://orders.test',
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({
        amount: decimal().prefault('500.00'),
        currency: z.string().default('USD'),
        note: z.string().optional(),
      }),
    },
  },
})
const identity = testIdentity('bot', { audience: 'https://broker.test', clock: () => 0 }).registered

const policyWith = (amount: object, currency: object) => () =>
  definePolicy({
    api,
    version: '1',
    purposes: ['support'],
    agents: { bot: { owner: 'team:a', identity, approvers: ['group:b'], revokeOn: defaultTriggers } },
    rules: [
      {
        id: 'refund',
        action: 'refund.create',
        effect: 'permit',
        grant: { parameters: { amount, currency, note: { any: true, optional: true } } as never },
      },
    ],
  })

describe('a parameter that is left out takes its default, which a constraint has to allow', () => {
  test.each([
    ['a maximum', { max: '10.00', optional: true }, { any: true }],
    ['a value', { max: '500.00', optional: true }, { equals: 'EUR', optional: true }],
    ['a choice', { max: '500.00', optional: true }, { one_of: ['EUR', 'CHF'], optional: true }],
  ])('definePolicy() refuses a default outside %s', (_what, amount, currency) => {
    expect(policyWith(amount, currency)).toThrow(/default/)
  })

  test.each([
    ['inside', { max: '500.00', optional: true }, { equals: 'USD', optional: true }],
    ['of no consequence, as the parameter has to be sent', { max: '10.00' }, { equals: 'EUR' }],
    ['anything', { max: '500', optional: true }, { any: true, optional: true }],
  ])('definePolicy() takes a default that is %s', (_what, amount, currency) => {
    expect(policyWith(amount, currency)).not.toThrow()
  })
})
