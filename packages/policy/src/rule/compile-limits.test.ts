import { decimal, defineApi, HallpassError, isPromise } from '@hallpass/core'
import type { Limit } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { base, bot, defineLoosely, request } from '../../test/orders.ts'
import { definePolicy } from '../define-policy.ts'

const rule = { id: 'one', effect: 'permit' } as const

/** The limits of a grant for the request of these tests under one rule. */
function limitsOf(changes: object): readonly Limit[] {
  const decision = defineLoosely({ rules: [{ ...rule, action: 'refund.create', ...changes }] }).decide(request())
  if (isPromise(decision) || decision.effect !== 'permit') throw new Error('not permitted')
  return decision.limits
}

describe('limits name what they count', () => {
  test('per task, over every action of the rule', () => {
    const limits = limitsOf({
      action: undefined,
      actions: ['refund.create', 'credit.create'],
      limits: { totals: { amount: '200' }, task: { calls: 3 } },
    })
    expect(limits).toEqual([
      { id: 'calls', per: 'grant', max: 1 },
      { id: 'calls:credit.create+refund.create', per: 'task', max: 3 },
      {
        id: 'total:credit.create+refund.create:amount:2:EUR',
        per: 'task',
        max: 20_000,
        parameter: 'amount',
        scale: 2,
        unit: 'EUR',
      },
    ])
  })

  test('per agent, in windows that do not share a counter', () => {
    const limits = limitsOf({ limits: { agent: { calls: 10, totals: { amount: '0.01' }, windowSeconds: 3600 } } })
    expect(limits.filter(({ per }) => per === 'agent')).toEqual([
      { id: 'calls:refund.create:3600s', per: 'agent', max: 10, window_seconds: 3600 },
      {
        id: 'total:refund.create:amount:2:EUR:3600s',
        per: 'agent',
        max: 1,
        parameter: 'amount',
        scale: 2,
        unit: 'EUR',
        window_seconds: 3600,
      },
    ])
  })

  test('the same for rules about the same actions, whatever their ids and their order of writing', () => {
    const one = limitsOf({
      action: undefined,
      actions: ['refund.create', 'credit.create'],
      limits: { totals: { amount: '50' } },
    })
    const two = limitsOf({
      id: 'two',
      action: undefined,
      actions: ['credit.create', 'refund.create'],
      limits: { totals: { amount: '75.5' } },
    })
    expect(two.map(({ id }) => id)).toEqual(one.map(({ id }) => id))
  })

  test('in a bounded number of characters', () => {
    const actions = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `thing.with.a.long.name.${index}`,
        { route: `GET /things${index}/{id}`, resource: 'thing:{id}', risk: 'read' } as const,
      ]),
    )
    const api = defineApi({ audience: 'https://things.example', actions })
    const policy = definePolicy({
      ...base,
      api,
      agents: { 'support-bot': bot },
      rules: [{ ...rule, risk: 'read', limits: { task: { calls: 3 } } }],
    })
    const decision = policy.decide(request({ action: 'thing.with.a.long.name.7', resource: 'thing:1', parameters: {} }))
    expect(decision).toMatchObject({
      limits: [{ id: 'calls' }, { id: expect.stringMatching(/^calls:thing\.with\.a\.long\.name\.0\+39~[\w-]{12}$/) }],
    })
  })
})

describe('limits refuse what cannot be counted', () => {
  const problem = (limits: object, changes: object = {}): string => {
    try {
      limitsOf({ limits, ...changes })
    } catch (error) {
      if (error instanceof HallpassError) return error.message
      throw error
    }
    return 'nothing was refused'
  }

  test.each([
    ['no decimal', { totals: { note: '5' } }, /'note' is not a decimal\(\) parameter of 'refund.create'/],
    ['no parameter', { totals: { amonut: '5' } }, /'amonut' is not a decimal\(\) parameter/],
    ['a member of Object.prototype', { totals: { toString: '5' } }, /'toString' is not a decimal/],
    ['nothing', { totals: {} }, /has to name at least one decimal/],
    ['a number', { totals: { amount: 200 } }, /'amount' has to be a plain decimal text/],
    ['a negative cap', { totals: { amount: '-1' } }, /'amount' has to be a plain decimal text above zero/],
    ['a cap of zero', { totals: { amount: '0.00' } }, /above zero/],
    ['an exponent', { totals: { amount: '1e3' } }, /plain decimal/],
    ['finer digits', { totals: { amount: '1.005' } }, /at most 2 fraction digits/],
    ['more than 2^53 - 1 units', { totals: { amount: '90071992547409.92' } }, /up to 2\^53 - 1 units/],
    ['no calls', { task: { calls: 0 } }, /'calls' has to be a positive/],
    ['an empty task', { task: {} }, /names neither calls nor totals/],
    ['a misspelt member', { task: { call: 1 } }, /unknown member 'call'/],
    ['one total twice', { totals: { amount: '5' }, task: { totals: { amount: '6' } } }, /sets one limit twice/],
    ['an agent without window', { agent: { calls: 5 } }, /'windowSeconds' has to be a positive/],
    ['an agent with an endless window', { agent: { calls: 5, windowSeconds: Infinity } }, /'windowSeconds' has to be/],
    ['text', 'calls: 1', /has to be an object/],
  ])('%s', (_, limits, message) => {
    expect(problem(limits as object)).toMatch(message)
  })

  test('the largest cap there is', () => {
    expect(limitsOf({ limits: { totals: { amount: '90071992547409.91' } } })[1]).toMatchObject({
      max: Number.MAX_SAFE_INTEGER,
    })
  })

  test('a parameter that only some of the actions have', () => {
    const changes = { action: undefined, actions: ['refund.create', 'order.read'] }
    expect(problem({ totals: { amount: '5' } }, changes)).toMatch(
      /'amount' is not a decimal\(\) parameter of 'order.read'/,
    )
  })

  test.each([
    ['scale', decimal({ scale: 3, unit: 'EUR' })],
    ['unit', decimal({ unit: 'USD' })],
    ['no unit', decimal()],
  ])('one parameter in two kinds of amount: %s', (_, amount) => {
    const action = { resource: 'order:{id}', risk: 'write' } as const
    const api = defineApi({
      audience: 'https://orders.example',
      actions: {
        'refund.create': { ...action, parameters: z.object({ amount: decimal({ unit: 'EUR' }) }) },
        other: { ...action, parameters: z.object({ amount }) },
      },
    })
    const rules = [{ ...rule, actions: ['refund.create', 'other'], limits: { totals: { amount: '5' } } }] as const
    expect(() => definePolicy({ ...base, api, rules })).toThrow(/'amount' has another scale or unit/)
  })
})
