import { defineApi, HallpassError, isPromise } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { base, bot, defineLoosely, orders, request } from '../test/orders.ts'
import { definePolicy } from './define-policy.ts'
import { mergePolicies } from './merge-policies.ts'
import type { Policy } from './policy.ts'

const mail = defineApi({
  audience: 'https://mail.example',
  actions: { 'mail.send': { route: 'POST /mailboxes/{id}/mails', resource: 'mailbox:{id}', risk: 'write' } },
})
const night = base.agents['night-bot']

const refunds = definePolicy({
  ...base,
  agents: { 'support-bot': bot },
  purposes: ['support-ticket'],
  rules: [{ id: 'refunds', action: 'refund.create', effect: 'permit' }],
})
const mails = definePolicy({
  ...base,
  api: mail,
  agents: { 'night-bot': night },
  purposes: ['triage'],
  rules: [{ id: 'mails', action: 'mail.send', effect: 'permit' }],
})

const effectOf = (policy: Policy, changes: object): string => {
  const decision = policy.decide(request(changes))
  if (isPromise(decision)) throw new Error('the decision was not synchronous')
  return decision.effect === 'deny' ? decision.reason : decision.effect
}

describe('mergePolicies() is all of them at once', () => {
  const merged = mergePolicies(refunds, mails)

  test('agents, purposes and APIs of each', () => {
    expect(Object.keys(merged.agents)).toEqual(['support-bot', 'night-bot'])
    expect(merged.purposes).toEqual(['support-ticket', 'triage'])
    expect(merged.apis).toEqual([orders, mail])
    expect(merged.version).toBe('1')
  })

  test('rules of each, for its own agents and purposes', () => {
    const send = { agent: 'night-bot', purpose: 'triage', action: 'mail.send', resource: 'mailbox:1', parameters: {} }
    expect(effectOf(merged, {})).toBe('permit')
    expect(effectOf(merged, send)).toBe('permit')
    expect(effectOf(merged, { agent: 'night-bot', purpose: 'triage' })).toBe('no-rule-matched')
    expect(effectOf(merged, { ...send, agent: 'support-bot', purpose: 'support-ticket' })).toBe('no-rule-matched')
    expect(effectOf(merged, { purpose: 'triage' })).toBe('purpose-unknown')
  })

  test('a deny of one reaches the agents of all', () => {
    const off = defineLoosely({
      rules: [{ id: 'off', action: 'refund.create', effect: 'deny' }],
      agents: { 'night-bot': night },
    })
    expect(effectOf(mergePolicies(refunds, off), {})).toBe('policy-denied')
    expect(effectOf(mergePolicies(off, refunds), {})).toBe('policy-denied')
  })

  test('a permit stays in the environments of its policy', () => {
    const staged = defineLoosely({
      environments: ['staging'],
      rules: [{ id: 'r', action: 'refund.create', effect: 'permit' }],
    })
    const other = defineLoosely({ environments: ['production'] })
    const both = mergePolicies(staged, other)
    expect(effectOf(both, { environment: 'staging' })).toBe('permit')
    expect(effectOf(both, { environment: 'production' })).toBe('no-rule-matched')
  })

  test('a digest that covers them all, in whatever order', () => {
    expect(merged.digest).toBe(mergePolicies(mails, refunds).digest)
    expect(new Set([merged.digest, refunds.digest, mails.digest]).size).toBe(3)
  })

  test('merges again, and with itself', () => {
    expect(mergePolicies(merged, refunds).check()).toEqual(merged.check())
    expect(effectOf(mergePolicies(merged, merged), {})).toBe('permit')
  })
})

describe('mergePolicies() shares rules that are the same, each where it was', () => {
  const rule = { id: 'shared', action: 'refund.create', effect: 'permit', when: () => true }
  const day = defineLoosely({
    agents: { 'support-bot': { ...bot, purposes: ['support-ticket'] } },
    purposes: ['support-ticket'],
    rules: [rule],
  })
  const late = defineLoosely({
    agents: { 'night-bot': { ...night, purposes: ['triage'] } },
    purposes: ['triage'],
    rules: [rule],
  })

  test('for the agents of both', () => {
    const merged = mergePolicies(day, late)
    expect(merged.decide(request())).toMatchObject({ effect: 'permit', rules: ['shared'] })
    expect(effectOf(merged, { agent: 'night-bot', purpose: 'triage' })).toBe('permit')
  })
})

describe('mergePolicies() refuses what contradicts', () => {
  const rule = { id: 'r', action: 'refund.create', effect: 'permit' }
  const when = () => () => true
  const same = (changes: object): readonly [object, object] => [changes, changes]
  test.each<readonly [string, readonly [object, object], RegExp]>([
    ['versions', [{ version: '1' }, { version: '2' }], /the versions 1, 2 differ/],
    [
      'agents',
      [{}, { agents: { 'support-bot': { ...bot, owner: 'team:other' } } }],
      /different content for the agent 'support-bot'/,
    ],
    ['rules', [{ rules: [rule] }, { rules: [{ ...rule, effect: 'deny' }] }], /different content for the rule 'r'/],
    ['limits', [{ rules: [rule] }, { rules: [{ ...rule, limits: { ttlSeconds: 5 } }] }], /the rule 'r'/],
    [
      'predicates that read the same and are not',
      [{ rules: [{ ...rule, when: when() }] }, { rules: [{ ...rule, when: when() }] }],
      /the rule 'r'/,
    ],
    [
      'facts',
      [{ facts: { f: { load: when(), timeoutMs: 5 } } }, { facts: { f: { load: when(), timeoutMs: 5 } } }],
      /the fact 'f'/,
    ],
    [
      'APIs',
      [{}, { api: defineApi({ audience: orders.audience, actions: {} }) }],
      /the API 'https:\/\/orders.example'/,
    ],
    [
      'actions',
      [
        {},
        {
          api: defineApi({
            audience: 'https://o.example',
            actions: { 'order.read': { resource: 'o:{id}', risk: 'read' } },
          }),
        },
      ],
      /an action 'order.read'/,
    ],
  ])('%s', (_, [one, other], message) => {
    expect(() => mergePolicies(defineLoosely(one), defineLoosely(other))).toThrow(message)
  })

  test('but not what is the same', () => {
    const [one, other] = same({ rules: [{ ...rule, when: when() }] })
    expect(mergePolicies(defineLoosely(one), defineLoosely(other)).digest).toMatch(/^sha-256:/)
  })

  test('objects that only look like policies', () => {
    expect(() => mergePolicies({ ...refunds })).toThrow(HallpassError)
  })
})
