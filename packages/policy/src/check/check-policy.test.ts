import { describe, expect, test } from 'vitest'
import { base, bot, defineLoosely } from '../../test/orders.ts'

const permits = [
  { id: 'reads', risk: 'read', effect: 'permit' },
  { id: 'writes', risk: 'write', effect: 'permit' },
  { id: 'deletes', action: 'order.delete', effect: 'permit' },
] as const

const findings = (rules: readonly object[], changes: object = {}): readonly string[] =>
  defineLoosely({ ...changes, rules })
    .check()
    .map(({ kind, name }) => `${kind} ${name}`)

describe('check() notices', () => {
  test('nothing in a policy that is whole', () => {
    expect(findings(permits)).toEqual([])
  })

  test('an action nobody is permitted', () => {
    expect(findings(permits.slice(0, 2))).toEqual(['action-without-rule order.delete'])
    expect(findings([...permits.slice(0, 2), { ...permits[2], effect: 'deny' }])).toEqual([
      'action-without-rule order.delete',
    ])
  })

  test('an agent that is permitted nothing', () => {
    expect(findings(permits.map((rule) => ({ ...rule, agents: ['support-bot'] })))).toEqual([
      'agent-without-permit night-bot',
    ])
  })

  test('a purpose that permits nothing', () => {
    expect(findings(permits.map((rule) => ({ ...rule, purposes: ['triage'] })))).toEqual([
      'purpose-unused support-ticket',
    ])
  })

  test('a rule whose agents work for none of its purposes', () => {
    const agents = { ...base.agents, 'support-bot': { ...bot, purposes: ['support-ticket'] } }
    const dead = { id: 'dead', risk: 'read', effect: 'deny', agents: ['support-bot'], purposes: ['triage'] }
    expect(findings([...permits, dead], { agents })).toEqual(['rule-never-matches dead'])
  })

  test.each([
    ['everything', { id: 'off', risk: 'read', effect: 'deny' }, ['rule-never-matches reads']],
    [
      'more',
      { id: 'off', actions: ['order.read', 'order.search', 'refund.create'], effect: 'deny' },
      ['rule-never-matches reads'],
    ],
    ['less', { id: 'off', action: 'order.read', effect: 'deny' }, []],
    ['some agents', { id: 'off', risk: 'read', effect: 'deny', agents: ['support-bot'] }, []],
    ['some resources', { id: 'off', risk: 'read', effect: 'deny', resources: ['order:1'] }, []],
    ['sometimes', { id: 'off', risk: 'read', effect: 'deny', when: () => true }, []],
  ])('a permit whose deny covers %s', (_, deny, expected) => {
    expect(findings([...permits, deny])).toEqual(expected)
  })

  test('two agents behind one identity', () => {
    const agents = { ...base.agents, 'other-bot': bot }
    expect(findings(permits, { agents })).toEqual(['identity-shared support-bot'])
  })
})
