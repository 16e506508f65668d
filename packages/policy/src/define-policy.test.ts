import { HallpassError } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { base, bot, defineLoosely, orders, request } from '../test/orders.ts'
import { definePolicy } from './define-policy.ts'

/** What a JavaScript author, or a cast, could hand in. */
const define = (changes: object, rule?: object): unknown => {
  const rules = rule === undefined ? [] : [{ id: 'one', action: 'refund.create', effect: 'permit', ...rule }]
  return defineLoosely({ rules, ...changes })
}

const problemOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof HallpassError && error.code === 'policy-invalid') return error.message
    throw error
  }
  return 'nothing was refused'
}

describe('definePolicy() refuses an agent nobody answers for', () => {
  test.each([
    ['no owner', { owner: undefined }, /agent 'bot': needs an owner/],
    ['an owner of blanks', { owner: '  ' }, /needs an owner/],
    ['no approver', { approvers: [] }, /approvers: has to be a list of at least one name/],
    ['approvers missing', { approvers: undefined }, /approvers: has to be a list/],
    ['no trigger', { revokeOn: [] }, /revokeOn: needs at least one trigger/],
    ['triggers missing', { revokeOn: undefined }, /revokeOn: needs at least one trigger/],
    [
      'an unknown trigger',
      { revokeOn: [{ on: 'boredom', effect: 'end-task' }] },
      /revokeOn\[0\]: 'on' has to be one of refused-requests/,
    ],
    [
      'a trigger without effect',
      { revokeOn: [{ on: 'inactivity', seconds: 5 }] },
      /'effect' has to be one of revoke-grant/,
    ],
    [
      'a trigger that never fires',
      { revokeOn: [{ on: 'velocity', calls: 0, windowSeconds: 5, effect: 'end-task' }] },
      /'calls' has to be a positive/,
    ],
    [
      'a trigger with a misspelt member',
      { revokeOn: [{ on: 'inactivity', secs: 5, effect: 'end-task' }] },
      /unknown member 'secs'/,
    ],
    ['no identity', { identity: undefined }, /needs an identity/],
    [
      'an identity without subject',
      { identity: { kind: 'oidc', issuer: 'https://i.example', audience: 'a' } },
      /needs 'subject'/,
    ],
    ['an identity without audience', { identity: { ...bot.identity, audience: '' } }, /needs 'audience'/],
    [
      'an identity without keys',
      { identity: { kind: 'private_key_jwt', audience: 'a', subject: 'b' } },
      /needs its keys/,
    ],
    [
      'a private key',
      { identity: { kind: 'private_key_jwt', audience: 'a', subject: 'b', jwks: { keys: [{ kty: 'EC', d: 'x' }] } } },
      /private or shared key/,
    ],
    ['an unknown member', { onwer: 'team:x' }, /unknown member 'onwer'/],
    ['an unknown purpose', { purposes: ['holiday'] }, /'holiday' is not known/],
    ['no open task', { maxOpenTasks: 0 }, /'maxOpenTasks' has to be a positive/],
    ['a task without end', { maxTaskSeconds: Infinity }, /'maxTaskSeconds' has to be a whole number from 1 to 86400/],
  ])('%s', (_, changes, message) => {
    expect(problemOf(() => define({ agents: { bot: { ...bot, ...changes } } }))).toMatch(message)
  })

  test('no agent at all', () => {
    expect(problemOf(() => define({ agents: {} }))).toMatch(/agents: has to name at least one agent/)
  })

  test('fills in defaults and copies what it was given', () => {
    const approvers: [string, ...string[]] = ['group:leads']
    const agents = { bot: { ...bot, approvers } }
    const policy = definePolicy({ ...base, agents, rules: [] })
    approvers[0] = 'user:mallory'
    expect(policy.agents.bot).toMatchObject({
      id: 'bot',
      maxOpenTasks: 4,
      maxTaskSeconds: 3600,
      purposes: ['support-ticket', 'triage'],
    })
    expect(policy.agent('bot')?.approvers).toEqual(['group:leads'])
    expect(policy.agent('toString')).toBeUndefined()
    expect(policy.agent('__proto__')).toBeUndefined()
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.agents) && Object.isFrozen(policy.agents.bot)).toBe(true)
  })

  test('keeps the methods and keys of an identity out of the policy', () => {
    const identity = { ...bot.identity, assertion: async () => 'secret', privateKey: { d: 'secret' } }
    const policy = definePolicy({ ...base, agents: { bot: { ...bot, identity } }, rules: [] })
    expect(JSON.stringify(policy.agents.bot.identity)).not.toContain('secret')
    expect(policy.agents.bot.identity).not.toHaveProperty('assertion')
  })
})

describe('definePolicy() refuses a rule that does not say what it means', () => {
  test.each([
    [
      'a misspelt action',
      { action: 'refund.creat' },
      /rule 'one' action: 'refund.creat' is not known; known are order.read/,
    ],
    ['an action of Object.prototype', { action: 'toString' }, /'toString' is not known/],
    ['no selection', { action: undefined }, /needs exactly one of action, actions, risk/],
    ['two selections', { risk: 'read' }, /needs exactly one of/],
    ['an empty list of actions', { action: undefined, actions: [] }, /has to be a list of at least one name/],
    ['an unknown risk', { action: undefined, risk: 'low' }, /'risk' has to be/],
    ['critical actions as a tier', { action: undefined, risk: 'critical' }, /has to name critical actions one by one/],
    ['an unknown effect', { effect: 'allow' }, /'effect' has to be permit, deny or approve/],
    ['a misspelt member', { whem: () => true }, /unknown member 'whem'/],
    ['a predicate that is none', { when: true }, /'when' has to be a function/],
    ['a predicate without source', { when: Boolean.bind(undefined, true) }, /'when' is bound or native/],
    ['an unknown agent', { agents: ['suport-bot'] }, /agents: 'suport-bot' is not known/],
    ['an empty scope', { agents: [] }, /agents: has to be a list of at least one name/],
    ['an unknown purpose', { purposes: ['tirage'] }, /purposes: 'tirage' is not known/],
    ['an environment nobody declared', { environments: ['prod'] }, /environments: 'prod' is not known; known are none/],
    ['a resource of another kind', { resources: ['ordr:1'] }, /'ordr:1' is of no kind/],
    ['a class of another kind', { resources: ['customer:*'] }, /'customer:\*' is of no kind/],
    ['a wildcard inside a resource', { resources: ['order:1*'] }, /'order:1\*' is of no kind/],
    ['an unknown fact', { needs: ['account'] }, /needs: 'account' is not known; known are none/],
    ['limits on a deny', { effect: 'deny', limits: { calls: 1 } }, /'limits' means nothing in a rule that denies/],
    ['a grant on a deny', { effect: 'deny', grant: {} }, /'grant' means nothing/],
    ['approvers on a permit', { approvers: ['a'] }, /'approvers' means nothing in a rule that permits/],
    [
      'a wide approval',
      { effect: 'approve', grant: { resource: 'exact' } },
      /'grant' means nothing in a rule that approves/,
    ],
    [
      'an approval nobody can give',
      { effect: 'approve', approvers: [] },
      /approvers: has to be a list of at least one name/,
    ],
    ['a ttl beyond the cap', { limits: { ttlSeconds: 901 } }, /'ttlSeconds' has to be a whole number from 1 to 900/],
    ['a ttl of nothing', { limits: { ttlSeconds: 0 } }, /'ttlSeconds' has to be/],
    ['a ttl without end', { limits: { ttlSeconds: Infinity } }, /'ttlSeconds' has to be/],
    ['calls that are no count', { limits: { calls: 1.5 } }, /'calls' has to be a positive whole number/],
    ['a misspelt limit', { limits: { call: 1 } }, /limits: unknown member 'call'/],
    [
      'a class of things to write',
      { grant: { resource: 'class' } },
      /'resource' stays 'exact' for 'refund.create', whose risk is write/,
    ],
    ['an unknown width', { grant: { resource: 'all' } }, /'resource' has to be 'exact' or 'class'/],
    [
      'an unknown constraint',
      { grant: { parameters: { amount: { below: '5' } } } },
      /equals, one_of, min and max, prefix or any/,
    ],
    [
      'two operators at once',
      { grant: { parameters: { amount: { max: '5', any: true } } } },
      /has to be 'exact' or one of/,
    ],
    [
      'a constraint on no parameter',
      { grant: { parameters: { amount: { any: true }, amonut: { any: true } } } },
      /'amonut' is not a parameter/,
    ],
    ['a range that is empty', { grant: { parameters: { amount: { min: '5', max: '4.99' } } } }, /a min above its max/],
    [
      'a range on text',
      { grant: { parameters: { amount: { any: true }, note: { max: '5' } } } },
      /'note' is not a decimal/,
    ],
    [
      'text on a decimal',
      { grant: { parameters: { amount: { equals: '5.00' } } } },
      /'amount' is a decimal, which takes min and max/,
    ],
    [
      'a required parameter left out',
      { grant: { parameters: { note: { any: true, optional: true } } } },
      /'amount' is required/,
    ],
  ])('%s', (_, rule, message) => {
    expect(problemOf(() => define({}, rule))).toMatch(message)
  })

  test.each([
    ['calls', { limits: { calls: 2 } }, /'calls' stays 1 for actions of risk critical/],
    ['ttl', { limits: { ttlSeconds: 61 } }, /from 1 to 60/],
    ['constraints', { grant: { parameters: {} } }, /'parameters' stays 'exact' for 'order.delete'/],
    ['class', { grant: { resource: 'class' } }, /'resource' stays 'exact'/],
  ])('a critical action with wider %s', (_, rule, message) => {
    expect(problemOf(() => define({}, { action: 'order.delete', ...rule }))).toMatch(message)
  })

  test('a critical action among several', () => {
    const rule = { action: undefined, actions: ['order.read', 'order.delete'], limits: { calls: 5 } }
    expect(problemOf(() => define({}, rule))).toMatch(/'calls' stays 1/)
  })

  test('two rules of one id', () => {
    const rule = { id: 'one', action: 'order.read', effect: 'permit' }
    expect(problemOf(() => define({ rules: [rule, rule] }))).toMatch(/rule 'one': two rules have this id/)
  })

  test('reports everything it found, not only the first', () => {
    const rules = [
      { id: 'a', action: 'x', effect: 'permit' },
      { id: 'b', action: 'refund.create', effect: 'perm' },
      { effect: 'deny' },
    ]
    expect(problemOf(() => define({ rules })).split('\n')).toHaveLength(4)
  })
})

describe('definePolicy() refuses a frame that does not hold', () => {
  test.each<readonly [string, object, RegExp]>([
    ['an unknown member', { rulez: [] }, /policy: unknown member 'rulez'/],
    ['no version', { version: '' }, /version: has to be a name/],
    ['no purpose', { purposes: [] }, /purposes: has to be a list/],
    ['a purpose twice', { purposes: ['a', 'a'] }, /names one thing twice/],
    ['no api', { api: [] }, /api: has to be what defineApi gave/],
    ['an api that is none', { api: {} }, /api: has to be what defineApi gave/],
    ['one api twice', { api: [orders, orders] }, /names one audience twice/],
    ['rules that are no list', { rules: {} }, /rules: has to be a list/],
    ['a fact without timeout', { facts: { account: { load: () => 1 } } }, /'timeoutMs' has to be/],
    ['a fact without loader', { facts: { account: { timeoutMs: 5 } } }, /needs load, a function/],
    [
      'a fact that waits for ever',
      { facts: { account: { load: () => 1, timeoutMs: Infinity } } },
      /'timeoutMs' has to be/,
    ],
    [
      'a fact with the name of an action',
      { facts: { 'order.read': { load: () => 1, timeoutMs: 5 } } },
      /has the name of an action/,
    ],
    [
      'a fact with the name of a risk',
      { facts: { read: { load: () => 1, timeoutMs: 5 } } },
      /has the name of an action or a risk/,
    ],
    [
      'defaults beyond the tier',
      { defaults: { critical: { ttlSeconds: 600 } } },
      /defaults.critical: 'ttlSeconds' has to be/,
    ],
    ['defaults for no tier', { defaults: { low: {} } }, /defaults: unknown member 'low'/],
  ])('%s', (_, changes, message) => {
    expect(problemOf(() => define(changes))).toMatch(message)
  })

  test('a policy that is none', () => {
    expect(problemOf(() => definePolicy(undefined as never))).toMatch(/policy: has to be an object/)
  })
})

describe('definePolicy() gives each risk its defaults', () => {
  const limitsOf = (action: 'order.read' | 'refund.create' | 'order.delete', defaults?: object) => {
    const rules = [{ id: 'one', action, effect: 'permit' }] as const
    const policy = definePolicy({ ...base, rules, ...(defaults === undefined ? {} : { defaults }) })
    const parameters = action === 'refund.create' ? { amount: '42.00' } : {}
    return policy.decide(request({ action, parameters }))
  }

  test.each([
    ['order.read', 60],
    ['refund.create', 30],
    ['order.delete', 15],
  ] as const)('%s: %i s, one call, exactly what was asked', (action, ttlSeconds) => {
    expect(limitsOf(action)).toEqual({
      effect: 'permit',
      rules: ['one'],
      ttlSeconds,
      limits: [{ id: 'calls', per: 'grant', max: 1 }],
      resource: 'exact',
      identifier: 'order:123',
    })
  })

  test('and takes others from the policy', () => {
    expect(limitsOf('order.read', { read: { ttlSeconds: 300, calls: 20 } })).toMatchObject({
      ttlSeconds: 300,
      limits: [{ max: 20 }],
    })
  })
})
