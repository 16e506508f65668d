import { isPromise } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { base, readRequest, request } from '../../test/orders.ts'
import { definePolicy } from '../define-policy.ts'
import type { DecisionRequest } from '../request/decision-request.ts'
import type { Explanation } from './explanation.ts'

const policy = definePolicy({
  ...base,
  environments: ['production', 'staging'],
  rules: [
    {
      id: 'small',
      action: 'refund.create',
      effect: 'permit',
      when: (r) => r.parameters.amount.lte('50.00'),
      limits: { totals: { amount: '200.00' }, agent: { calls: 100, windowSeconds: 3600 } },
    },
    { id: 'bounded', action: 'refund.create', effect: 'permit', grant: { parameters: { amount: { max: '60.00' } } } },
    { id: 'big', action: 'refund.create', effect: 'approve', when: (r) => r.parameters.amount.gt('50.00') },
    { id: 'triage', action: 'refund.create', effect: 'deny', purposes: ['triage'] },
    { id: 'night', action: 'refund.create', effect: 'deny', agents: ['night-bot'] },
    { id: 'frozen', action: 'refund.create', effect: 'deny', environments: ['staging'] },
    { id: 'disputed', action: 'refund.create', effect: 'deny', resources: ['order:666'], description: 'Disputed.' },
    { id: 'reads', risk: 'read', effect: 'permit', grant: { resource: 'class' } },
    { id: 'secret', action: 'order.read', effect: 'deny', when: (r) => r.resource === 'order:0' },
    {
      id: 'broken',
      action: 'order.search',
      effect: 'deny',
      when: (r) => {
        throw new Error(`no ${r.resource}`)
      },
    },
  ],
})

function explain(asked: DecisionRequest): Explanation {
  const explanation = policy.explain({ environment: 'production', ...asked })
  if (isPromise(explanation)) throw new Error('the explanation was not synchronous')
  return explanation
}

describe('explain() says why', () => {
  test('a permit', () => {
    const spent = { 'total:refund.create:amount:2:EUR': 4200 }
    expect(explain(request({ task: { ...request().task, spent } })).text).toBe(
      [
        'PERMIT by bounded, small',
        '  support-bot asked refund.create on order:123 for support-ticket, with amount',
        '  matched     small (permit): when answered true',
        '  matched     bounded (permit): it has no predicate',
        '  not-matched big (approve): when answered false',
        "  not-matched triage (deny): purpose 'support-ticket' is not one of triage",
        "  not-matched night (deny): agent 'support-bot' is not one of night-bot",
        "  not-matched frozen (deny): environment 'production' is not one of staging",
        "  not-matched disputed (deny): resource 'order:123' is not one of order:666",
        '  grant: order:123, exactly these parameters, 30 s',
        '  limits: 100 calls per agent in 3600 s over refund.create, 1 call per grant, amount up to 200.00 EUR per task over refund.create (42.00 spent)',
      ].join('\n'),
    )
  })

  test('an approval', () => {
    const { text } = explain(request({ parameters: { amount: '61.00' } }))
    expect(text).toMatch(/^APPROVAL REQUIRED by big, from group:leads\n/)
    expect(text).toContain("not-matched bounded (permit): the parameters are outside the rule's constraints on amount")
  })

  test('a deny', () => {
    expect(explain(request({ resource: 'order:666' })).text).toMatch(/^DENY policy-denied by disputed: Disputed\.\n/)
    expect(explain(request({ agent: 'nobody' })).text).toMatch(/^DENY agent-unknown: the policy has no such agent\n/)
    expect(explain(request({ action: 'order.delete', parameters: {} })).text).toContain('no rule names this action')
  })

  test('a grant that is not the class it could be', () => {
    expect(explain(readRequest()).text).toContain('not the class: a rule goes by the resource')
  })

  test('a failure, whose cause is for eyes and not for logs', () => {
    const { rules, text } = explain(request({ action: 'order.search', resource: 'customer:7', parameters: {} }))
    expect(text).toMatch(/^DENY policy-failed by broken at explain\.test\.ts:\d+: the predicate threw Error\n/)
    const broken = rules.find(({ rule }) => rule === 'broken')
    expect(broken).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(/^the predicate threw Error, at explain\.test\.ts:\d+$/),
    })
    expect(broken?.cause).toMatchObject({ message: 'no customer:7' })
    expect(JSON.stringify(rules)).not.toContain('no customer')
  })

  test('without parameter values', () => {
    expect(JSON.stringify(explain(request({ parameters: { amount: '31.37', note: 'for Ada' } })))).not.toMatch(
      /31\.37|Ada/,
    )
  })

  test('the decision that decide() gives', () => {
    const asked = [request(), request({ resource: 'order:666' }), readRequest(), request({ purpose: 'x' })]
    for (const one of asked.map((each) => ({ environment: 'production', ...each }))) {
      expect(explain(one).decision).toEqual(policy.decide(one))
    }
  })

  test('later, where a fact has to be loaded', async () => {
    const facts = { account: { load: async () => 'gold', timeoutMs: 50 } }
    const rules = [
      { id: 'gold', action: 'refund.create', effect: 'permit', needs: ['account'], when: () => true },
    ] as const
    const explanation = await definePolicy({ ...base, facts, rules }).explain(request())
    expect(explanation.rules).toEqual([
      { rule: 'gold', effect: 'permit', outcome: 'matched', why: 'when answered true' },
    ])
  })
})
