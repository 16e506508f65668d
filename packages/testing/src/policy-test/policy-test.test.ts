import { decimal, defineApi } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import '../vitest.ts'
import { policyTest } from './policy-test.ts'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
    'order.delete': { route: 'DELETE /orders/{id}', resource: 'order:{id}', risk: 'critical' },
  },
})
const identity = {
  kind: 'spiffe',
  id: 'spiffe://acme.example/support-bot',
  audience: 'https://broker.example',
  bundle: 'https://acme.example/bundle',
} as const
const bot = { owner: 'team:support', identity, approvers: ['group:leads'], revokeOn: defaultTriggers } as const

const define = () =>
  definePolicy({
    api: orders,
    version: '1',
    purposes: ['support-ticket', 'triage'],
    agents: { 'support-bot': bot, 'audit-bot': { ...bot, purposes: ['triage'] } },
    facts: { account: { load: async (r) => ({ tier: r.resource === 'order:1' ? 'gold' : 'none' }), timeoutMs: 100 } },
    rules: [
      {
        id: 'reads',
        action: 'order.read',
        effect: 'permit',
        grant: { resource: 'class' },
        limits: { calls: 10, ttlSeconds: 300 },
      },
      {
        id: 'small-refund',
        action: 'refund.create',
        effect: 'permit',
        purposes: ['support-ticket'],
        when: (r) => r.parameters.amount.lte('50.00'),
        limits: { totals: { amount: '80.00' } },
      },
      {
        id: 'big-refund',
        action: 'refund.create',
        effect: 'approve',
        when: (r) => r.parameters.amount.gt('50.00'),
        approvers: ['user:cfo'],
      },
      {
        id: 'gold-delete',
        action: 'order.delete',
        effect: 'permit',
        needs: ['account'],
        when: (r) => r.facts.account.tier === 'gold',
      },
      {
        id: 'office-hours',
        action: 'order.delete',
        effect: 'deny',
        when: (r) => {
          if (r.weekday === 'sunday') throw new Error('closed')
          return r.hour < 8
        },
      },
    ],
  })

const now = new Date('2026-11-20T10:00:00Z')
let policy = define()
let t = policyTest(policy, { agent: 'support-bot', purpose: 'support-ticket', now })

beforeEach(() => {
  policy = define()
  t = policyTest(policy, { agent: 'support-bot', purpose: 'support-ticket', now })
})

/** The message a matcher fails with. */
function failureOf(run: () => void): string {
  try {
    run()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'nothing failed'
}

describe('policyTest().ask() answers as the policy does', () => {
  test('a permit with its limits', () => {
    const answer = t.ask('refund.create', { resource: 'order:123', parameters: { amount: '50.00' } })
    expect(answer).toPermit()
    expect(answer).toPermit({
      calls: 1,
      ttlSeconds: 30,
      totals: { amount: '80' },
      resource: 'exact',
      rules: ['small-refund'],
    })
    expect(t.ask('order.read', { resource: 'order:123' })).toPermit({ resource: 'class', calls: 10 })
  })

  test('an approval', () => {
    const answer = t.ask('refund.create', { resource: 'order:123', parameters: { amount: '50.01' } })
    expect(answer).toRequireApproval()
    expect(answer).toRequireApproval({ rule: 'big-refund', approvers: ['user:cfo'] })
  })

  test('a deny, by reason or by rule', () => {
    const early = { now: new Date('2026-11-20T07:59:59Z'), facts: { account: { tier: 'gold' } } }
    expect(t.ask('refund.create', { resource: 'order:1', parameters: { amount: '1.00' }, purpose: 'triage' })).toDeny(
      'no-rule-matched',
    )
    expect(t.ask('order.delete', { resource: 'order:1', ...early })).toDeny('policy-denied')
    expect(t.ask('order.delete', { resource: 'order:1', ...early })).toDeny('office-hours')
    expect(t.ask('order.read', { resource: 'order:1', agent: 'audit-bot' })).toDeny('purpose-unknown')
  })

  test('parameters are parsed as a broker would', () => {
    expect(t.ask('refund.create', { resource: 'order:1', parameters: { amount: '1.005' } })).toDeny(
      'parameters-invalid',
    )
  })

  test('what the context says, unless the question says otherwise', () => {
    const triage = policyTest(policy, { agent: 'support-bot', purpose: 'triage', now })
    const refund = { resource: 'order:1', parameters: { amount: '1.00' } } as const
    expect(triage.ask('refund.create', refund)).toDeny()
    expect(triage.ask('refund.create', { ...refund, purpose: 'support-ticket' })).toPermit()
  })
})

describe('policyTest() and facts', () => {
  test('loaded ones are asked for asynchronously', async () => {
    expect(await t.askAsync('order.delete', { resource: 'order:1' })).toPermit()
    expect(await t.askAsync('order.delete', { resource: 'order:2' })).toDeny('no-rule-matched')
  })

  test('given ones at once, as values or as loaders', () => {
    const tiered = (r: { resource: string }) => ({ tier: r.resource === 'order:2' ? 'gold' : 'none' })
    expect(t.ask('order.delete', { resource: 'order:2', facts: { account: { tier: 'gold' } } })).toPermit()
    expect(t.ask('order.delete', { resource: 'order:2', facts: { account: tiered } })).toPermit()
    expect(t.ask('order.delete', { resource: 'order:1', facts: { account: tiered } })).toDeny()
  })

  test('missing ones are no answer', () => {
    expect(() => t.ask('order.delete', { resource: 'order:1' })).toThrow(/'order.delete' needs a fact that is loaded/)
  })
})

describe('policyTest().use() spends', () => {
  const refund = { resource: 'order:1', parameters: { amount: '40.00' } } as const

  test('until a total is reached', () => {
    t.use(t.ask('refund.create', refund))
    t.use(t.ask('refund.create', refund))
    expect(t.ask('refund.create', { ...refund, parameters: { amount: '0.01' } })).toDeny('limit-exceeded')
  })

  test('only what was permitted', () => {
    expect(() => t.use(t.ask('refund.create', { ...refund, parameters: { amount: '60.00' } }))).toThrow(
      /takes an answer that permits/,
    )
  })

  test('from what the task had spent before', () => {
    const spent = { 'total:refund.create:amount:2': 7_999 }
    const later = policyTest(policy, { agent: 'support-bot', purpose: 'support-ticket', now, task: { spent } })
    expect(later.ask('refund.create', { ...refund, parameters: { amount: '0.01' } })).toPermit()
    expect(later.ask('refund.create', { ...refund, parameters: { amount: '0.02' } })).toDeny('small-refund')
  })
})

describe('matchers fail with the reasons', () => {
  test('toPermit on a deny', () => {
    const answer = t.ask('refund.create', { resource: 'order:1', parameters: { amount: '1.00' }, purpose: 'triage' })
    expect(failureOf(() => expect(answer).toPermit())).toBe(
      [
        'expected the policy to permit',
        '  the policy did not permit',
        '',
        'DENY no-rule-matched',
        '  support-bot asked refund.create on order:1 for triage, with amount',
        "  not-matched small-refund (permit): purpose 'triage' is not one of support-ticket",
        '  not-matched big-refund (approve): when answered false',
      ].join('\n'),
    )
  })

  test.each([
    [{ calls: 9 }, 'calls is 10, not 9'],
    [{ ttlSeconds: 60 }, 'ttlSeconds is 300, not 60'],
    [{ resource: 'exact' }, 'resource is class, not exact'],
    [{ rules: ['other'] }, 'the rules are reads'],
    [{ totals: { amount: '5.00' } }, 'there is no total over amount per task'],
  ] as const)('toPermit(%j)', (expected, message) => {
    const answer = t.ask('order.read', { resource: 'order:1' })
    expect(failureOf(() => expect(answer).toPermit(expected))).toContain(message)
  })

  test('toPermit with another total', () => {
    const answer = t.ask('refund.create', { resource: 'order:1', parameters: { amount: '1.00' } })
    expect(failureOf(() => expect(answer).toPermit({ totals: { amount: '80.01' } }))).toContain(
      'no total over amount per task is 80.01',
    )
  })

  test('toDeny for another reason', () => {
    const answer = t.ask('refund.create', { resource: 'order:1', parameters: { amount: '1.00' }, purpose: 'triage' })
    expect(failureOf(() => expect(answer).toDeny('limit-exceeded'))).toContain('it denied for no-rule-matched')
    expect(failureOf(() => expect(answer).not.toDeny())).toContain('expected the policy not to deny')
  })

  test('toRequireApproval of someone else', () => {
    const answer = t.ask('refund.create', { resource: 'order:1', parameters: { amount: '99.00' } })
    expect(failureOf(() => expect(answer).toRequireApproval({ approvers: ['group:leads'] }))).toContain(
      'the approvers are user:cfo',
    )
    expect(failureOf(() => expect(answer).toPermit())).toContain('APPROVAL REQUIRED by big-refund')
  })

  test('what a failing rule threw', async () => {
    const answer = await t.askAsync('order.delete', { resource: 'order:1', now: new Date('2026-11-22T10:00:00Z') })
    expect(answer).toDeny('policy-failed')
    expect(failureOf(() => expect(answer).toPermit())).toContain('office-hours threw closed')
  })

  test.each([
    ['a decision', { effect: 'permit' }],
    ['a promise', Promise.resolve()],
    ['nothing', undefined],
  ])('on %s', (_, received) => {
    expect(failureOf(() => expect(received).toPermit())).toContain('expected what policyTest(...).ask() answers')
  })
})

describe('policyTest().matrix() tells everything at a glance', () => {
  test('by agent and purpose', () => {
    const table = t.matrix(
      {
        'read an order': { action: 'order.read', resource: 'order:1' },
        'refund 50.00': { action: 'refund.create', resource: 'order:1', parameters: { amount: '50.00' } },
        'refund 50.01': { action: 'refund.create', resource: 'order:1', parameters: { amount: '50.01' } },
      },
      { agents: ['support-bot', 'audit-bot'], purposes: ['support-ticket', 'triage'] },
    )
    expect(table).toBe(
      [
        '              | support-bot, support-ticket | support-bot, triage  | audit-bot, support-ticket | audit-bot, triage',
        'read an order | permit                      | permit               | deny purpose-unknown      | permit',
        'refund 50.00  | permit                      | deny no-rule-matched | deny purpose-unknown      | deny no-rule-matched',
        'refund 50.01  | approve                     | approve              | deny purpose-unknown      | approve',
      ].join('\n'),
    )
  })
})

describe('policyTest().coverage() tells what no test saw', () => {
  test('both ways of every rule', async () => {
    t.ask('refund.create', { resource: 'order:1', parameters: { amount: '50.00' } })
    t.ask('refund.create', { resource: 'order:1', parameters: { amount: '50.01' } })
    await t.askAsync('order.delete', { resource: 'order:1', now: new Date('2026-11-22T10:00:00Z') })
    const { missing, rules, text } = policyTest(policy, { agent: 'audit-bot', purpose: 'triage', now }).coverage()
    expect(missing).toEqual(['reads', 'gold-delete', 'office-hours'])
    expect(rules[1]).toEqual({
      rule: 'small-refund',
      effect: 'permit',
      matched: 1,
      notMatched: 1,
      failed: 0,
      isCovered: true,
    })
    expect(text.split('\n')).toEqual([
      '! reads         matched 0, not matched 0',
      '  small-refund  matched 1, not matched 1',
      '  big-refund    matched 1, not matched 1',
      '! gold-delete   matched 1, not matched 0',
      '! office-hours  matched 0, not matched 0, failed 1',
    ])
  })
})
