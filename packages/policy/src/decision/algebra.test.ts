import { isPromise } from '@hallpass/core'
import type { Limit } from '@hallpass/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base, defineLoosely, request } from '../../test/orders.ts'
import { mergePolicies } from '../merge-policies.ts'
import type { Policy } from '../policy.ts'
import type { DecisionRequest } from '../request/decision-request.ts'
import type { Decision } from './decision.ts'

type RuleData = Record<string, unknown> & { readonly id: string; readonly effect: string }

/** Predicates by what they go by; each is one function, so that merged policies can share rules. */
const predicates = [
  () => true,
  () => false,
  (r: { parameters: { amount: { lte(text: string): boolean } } }) => r.parameters.amount.lte('50.00'),
  (r: { resource: string }) => r.resource === 'order:1',
  (r: { purpose: string }) => r.purpose === 'triage',
  () => {
    throw new Error('down')
  },
]

const amount = fc.integer({ min: 1, max: 20_000 }).map((units) => (units / 100).toFixed(2))
const some = <T>(...values: readonly [T, ...T[]]) =>
  fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined })
const scope = {
  agents: some('support-bot', 'night-bot'),
  purposes: some('support-ticket', 'triage'),
  resources: some('order:1', 'order:2', 'order:*'),
}
const limits = fc.record(
  {
    ttlSeconds: fc.integer({ min: 1, max: 900 }),
    calls: fc.integer({ min: 1, max: 9 }),
    totals: fc.record({ amount }),
    task: fc.record({ calls: fc.integer({ min: 1, max: 9 }) }),
    agent: fc.record({ calls: fc.integer({ min: 1, max: 9 }), windowSeconds: fc.constantFrom(60, 3600) }),
  },
  { requiredKeys: [] },
)
const grant = fc.option(
  fc.record({
    parameters: fc.record({ amount: fc.record({ max: amount }), note: fc.constant({ any: true, optional: true }) }),
  }),
  { nil: undefined },
)
const when = (last: number) =>
  fc.option(
    fc.integer({ min: 0, max: last }).map((index) => predicates[index]),
    { nil: undefined },
  )

const anyRule = (effects: readonly string[], lastPredicate = 4): fc.Arbitrary<RuleData> =>
  fc.constantFrom(...effects).chain((effect) =>
    fc.record({
      id: fc.constant(''),
      effect: fc.constant(effect),
      action: fc.constant('refund.create'),
      ...scope,
      when: when(lastPredicate),
      ...(effect === 'deny' ? {} : { limits }),
      ...(effect === 'permit' ? { grant } : {}),
      ...(effect === 'approve' ? { approvers: some('a', 'b', 'c') } : {}),
    }),
  )

const anyRules = (effects: readonly string[], lastPredicate = 4): fc.Arbitrary<readonly RuleData[]> =>
  fc
    .array(anyRule(effects, lastPredicate), { maxLength: 6 })
    .map((rules) => rules.map((rule, index) => ({ ...rule, id: `r${index}` })))

const anyRequest: fc.Arbitrary<DecisionRequest> = fc
  .record({
    agent: fc.constantFrom('support-bot', 'night-bot'),
    purpose: fc.constantFrom('support-ticket', 'triage'),
    resource: fc.constantFrom('order:1', 'order:2', 'order:3'),
    parameters: fc.record({ amount }),
  })
  .map((changes) => request(changes))

const define = (rules: readonly RuleData[], changes: object = {}): Policy => defineLoosely({ ...changes, rules })

function ask(policy: Policy, asked: DecisionRequest): Decision {
  const decision = policy.decide(asked)
  if (isPromise(decision)) throw new Error('the decision was not synchronous')
  return decision
}

/** `at` says where the policy was defined, which is not about the rules. */
const plain = ({ ...decision }: Decision): object => ({ ...decision, at: undefined })
const effects = ['permit', 'deny', 'approve']
const rank = { deny: 0, approve: 1, permit: 2 } as const
const bare: RuleData = { id: '', effect: 'permit', action: 'refund.create' }

/** Permits under constraints, and nothing else that keeps them from matching. */
const constrained: fc.Arbitrary<readonly RuleData[]> = fc
  .array(fc.record({ max: fc.integer({ min: 10_000, max: 30_000 }), limits }), { minLength: 1, maxLength: 3 })
  .map((rules) =>
    rules.map(({ max, limits: own }, index) => ({
      ...bare,
      id: `c${index}`,
      limits: own,
      grant: { parameters: { amount: { max: (max / 100).toFixed(2) }, note: { any: true, optional: true } } },
    })),
  )

const limitsOf = (decision: Decision): readonly Limit[] => (decision.effect === 'deny' ? [] : decision.limits)

/** A limit of one decision is as strict in another if that has it, and no higher. */
const holds = (limit: Limit, all: readonly Limit[]): boolean =>
  all.some((other) => other.per === limit.per && other.id === limit.id && other.max <= limit.max)

describe('the decision algebra', () => {
  test('the order of rules never matters', () => {
    fc.assert(
      fc.property(anyRules(effects, 5), anyRequest, fc.infiniteStream(fc.nat()), (rules, asked, random) => {
        const shuffled = rules.map((rule) => ({ rule, at: random.next().value })).toSorted((a, b) => a.at - b.at)
        expect(plain(ask(define(shuffled.map(({ rule }) => rule)), asked))).toEqual(plain(ask(define(rules), asked)))
      }),
    )
  })

  test('a further deny, or a further approval, never allows more', () => {
    fc.assert(
      fc.property(anyRules(effects), anyRule(['deny', 'approve']), anyRequest, (rules, further, asked) => {
        const before = ask(define(rules), asked)
        const after = ask(define([...rules, { ...further, id: 'further' }]), asked)
        const isNewApproval =
          before.effect === 'deny' && before.reason === 'no-rule-matched' && after.effect === 'approve'
        expect(isNewApproval || rank[after.effect] <= rank[before.effect]).toBe(true)
      }),
    )
  })

  test('a deny that matches denies, whatever else there is', () => {
    fc.assert(
      fc.property(anyRules(effects, 5), anyRequest, (rules, asked) => {
        expect(ask(define([...rules, { ...bare, id: 'off', effect: 'deny' }]), asked).effect).toBe('deny')
      }),
    )
  })

  test('a rule that fails denies, whatever else there is', () => {
    fc.assert(
      fc.property(anyRules(effects), anyRequest, fc.constantFrom(...effects), (rules, asked, effect) => {
        const broken = { ...bare, id: 'broken', effect, when: predicates[5] }
        expect(ask(define([...rules, broken]), asked)).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
      }),
    )
  })

  test('what is allowed is no more than each rule that matched allows', () => {
    fc.assert(
      fc.property(anyRules(['permit', 'approve']), anyRequest, (rules, asked) => {
        const all = ask(define(rules), asked)
        fc.pre(all.effect !== 'deny')
        for (const rule of rules.filter(({ id }) => all.rules.includes(id))) {
          const alone = ask(define([rule]), asked)
          if (alone.effect === 'deny') throw new Error(`${rule.id} matched among others and not alone`)
          expect(all.ttlSeconds).toBeLessThanOrEqual(alone.ttlSeconds)
          expect(alone.limits.every((limit) => holds(limit, all.limits))).toBe(true)
          expect(all.constraints === undefined || alone.constraints !== undefined).toBe(true)
        }
      }),
    )
  })

  test('nothing is permitted that no rule permits alone', () => {
    fc.assert(
      fc.property(anyRules(effects), anyRequest, (rules, asked) => {
        const all = ask(define(rules), asked)
        const alone = rules.map((rule) => ask(define([rule]), asked).effect)
        expect(all.effect !== 'permit' || alone.includes('permit')).toBe(true)
      }),
    )
  })

  test('a grant covers only requests that would have been permitted, with limits no wider', () => {
    fc.assert(
      fc.property(fc.tuple(constrained, anyRules(effects, 3)), anyRequest, amount, ([wide, rules], asked, other) => {
        const policy = define([...wide, ...rules])
        const given = ask(policy, asked)
        const within = given.effect === 'permit' ? given.constraints?.['amount'] : undefined
        fc.pre(within !== undefined && 'max' in within)
        const max = Math.min(Number(other), Number(within.max))
        const again = ask(policy, { ...asked, parameters: { amount: max.toFixed(2) } })
        // The ledger refuses such a use as well: it counts by the same limits.
        const isCounted = again.effect === 'deny' && again.reason === 'limit-exceeded'
        const isSame = again.effect === 'permit' && again.limits.every((limit) => holds(limit, limitsOf(given)))
        expect(isCounted || isSame).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('a class covers only resources that would have been permitted, with limits no wider', () => {
    const toRead = (rule: RuleData): RuleData => {
      const { grant: _grant, limits: own, ...rest } = rule
      const counted = own === undefined ? {} : { limits: { ...own, totals: undefined } }
      return { ...rest, action: 'order.read', ...(rule.effect === 'deny' ? {} : counted) }
    }
    const reads = anyRules(effects, 4).map((rules) => rules.map(toRead))
    const wide = { ...bare, id: 'wide', action: 'order.read', grant: { resource: 'class' } }
    fc.assert(
      fc.property(reads, anyRequest, fc.constantFrom('order:1', 'order:2', 'order:9'), (rules, asked, other) => {
        const others = rules.map((rule) =>
          rule.effect === 'permit' ? { ...rule, grant: { resource: 'class' } } : rule,
        )
        const policy = define([wide, ...others])
        const read = { ...asked, action: 'order.read', parameters: {} }
        const given = ask(policy, read)
        fc.pre(given.effect === 'permit' && given.resource === 'class')
        expect(ask(policy, { ...read, resource: other })).toEqual(given)
      }),
    )
  })
})

describe('merged policies', () => {
  const agents = (...ids: readonly ('support-bot' | 'night-bot')[]) =>
    Object.fromEntries(ids.map((id) => [id, base.agents[id]]))

  test('permit nothing that none of them permits', () => {
    const purposes = fc.constantFrom(['support-ticket'], ['triage'], ['support-ticket', 'triage'])
    const unscoped = anyRules(effects).map((rules) =>
      rules.map((rule) => ({ ...rule, agents: undefined, purposes: undefined })),
    )
    fc.assert(
      fc.property(
        fc.tuple(unscoped, purposes),
        fc.tuple(unscoped, purposes),
        anyRequest,
        ([one, first], [two, second], asked) => {
          const rename = (rules: readonly RuleData[], prefix: string) =>
            rules.map((rule) => ({ ...rule, id: `${prefix}${rule.id}` }))
          const a = define(rename(one, 'a'), { agents: agents('support-bot'), purposes: first })
          const b = define(rename(two, 'b'), { agents: agents('night-bot'), purposes: second })
          const merged = ask(mergePolicies(a, b), asked)
          const alone = [a, b].map((policy) => rank[ask(policy, asked).effect])
          expect(rank[merged.effect]).toBeLessThanOrEqual(Math.max(...alone))
        },
      ),
    )
  })
})
