import { isPromise } from '@hallpass/core'
import type { JsonObject } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { base, bot, defineLoosely, now, readRequest, request } from '../test/orders.ts'
import type { Decision } from './decision/decision.ts'
import { definePolicy } from './define-policy.ts'
import type { Policy } from './policy.ts'
import type { DecisionRequest } from './request/decision-request.ts'

/** A decision that has to be there at once. */
function decide(policy: Policy, asked: DecisionRequest = request()): Decision {
  const decision = policy.decide(asked)
  if (isPromise(decision)) throw new Error('the decision was not synchronous')
  return decision
}

/** Rules as a cast or plain JavaScript could make them. */
const withRules = (rules: readonly object[], changes: object = {}): Policy => defineLoosely({ ...changes, rules })

const permit = { id: 'permit', action: 'refund.create', effect: 'permit' } as const
const onlyPermit = withRules([permit])

describe('decide() denies what it does not know', () => {
  test.each([
    ['an agent', { agent: 'other-bot' }, 'agent-unknown'],
    ['an agent of Object.prototype', { agent: 'constructor' }, 'agent-unknown'],
    ['a purpose', { purpose: 'holiday' }, 'purpose-unknown'],
    ['an action', { action: 'refund.creat' }, 'details-invalid'],
    ['an action of Object.prototype', { action: 'toString' }, 'details-invalid'],
    ['a resource of another kind', { resource: 'customer:1' }, 'details-invalid'],
    ['an empty resource', { resource: 'order:' }, 'details-invalid'],
    ['a class in place of a resource', { resource: 'order:*' }, 'details-invalid'],
    ['a resource that leads elsewhere', { resource: 'order:../1' }, 'details-invalid'],
    ['an unknown parameter', { parameters: { amount: '1.00', currency: 'EUR' } }, 'parameters-invalid'],
    ['a missing parameter', { parameters: {} }, 'parameters-invalid'],
    ['a number in place of a decimal', { parameters: { amount: 42 } }, 'parameters-invalid'],
    ['a negative amount', { parameters: { amount: '-1.00' } }, 'parameters-invalid'],
    ['no parameters', { parameters: undefined }, 'request-invalid'],
    ['no time', { now: NaN }, 'request-invalid'],
    ['no task', { task: undefined }, 'request-invalid'],
    ['no identity', { identity: undefined }, 'request-invalid'],
  ])('%s', (_, changes, reason) => {
    expect(decide(onlyPermit, { ...request(), ...changes } as DecisionRequest)).toMatchObject({
      effect: 'deny',
      reason,
    })
  })

  test('a request that is none, without throwing', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
      },
    )
    expect(decide(onlyPermit, hostile as DecisionRequest)).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
    expect(decide(onlyPermit, null as never)).toMatchObject({ effect: 'deny', reason: 'request-invalid' })
  })

  test('a purpose the agent does not work for', () => {
    const policy = withRules([permit], { agents: { 'support-bot': { ...bot, purposes: ['triage'] } } })
    expect(decide(policy)).toMatchObject({ effect: 'deny', reason: 'purpose-unknown' })
    expect(decide(policy, request({ purpose: 'triage' }))).toMatchObject({ effect: 'permit' })
  })
})

describe('decide() looks only at rules that are about the request', () => {
  test.each([
    ['another action', { action: 'order.read' }],
    ['another agent', { agents: ['night-bot'] }],
    ['another purpose', { purposes: ['triage'] }],
    ['another resource', { resources: ['order:124'] }],
    ['a predicate that says no', { when: () => false }],
    ['constraints it is outside of', { grant: { parameters: { amount: { max: '41.99' } } } }],
    [
      'constraints that do not name a parameter',
      { grant: { parameters: { amount: { any: true } } } },
      { amount: '42.00', note: 'x' },
    ],
  ])('%s', (_, rule, parameters: JsonObject = { amount: '42.00' }) => {
    const policy = withRules([{ ...permit, ...rule }])
    expect(decide(policy, request({ parameters }))).toEqual({ effect: 'deny', reason: 'no-rule-matched' })
  })

  test.each([
    ['this agent', { agents: ['support-bot', 'night-bot'] }],
    ['this purpose', { purposes: ['support-ticket'] }],
    ['this resource', { resources: ['order:124', 'order:123'] }],
    ['its class', { resources: ['order:*'] }],
    ['a predicate that says yes', { when: () => true }],
    ['constraints it is inside of', { grant: { parameters: { amount: { max: '42.00' } } } }],
  ])('%s', (_, rule) => {
    expect(decide(withRules([{ ...permit, ...rule }]))).toMatchObject({ effect: 'permit', rules: ['permit'] })
  })

  const deny = { id: 'frozen', action: 'refund.create', effect: 'deny', environments: ['production'] }
  const placed = withRules([permit, deny], { environments: ['production', 'staging'] })
  test.each([
    ['staging', 'permit'],
    ['production', 'deny'],
    ['prod', 'deny'],
    [undefined, 'deny'],
  ])('in the environment %s: %s', (environment, effect) => {
    const asked = environment === undefined ? request() : request({ environment })
    expect(decide(placed, asked).effect).toBe(effect)
  })
})

describe('decide() matches on the literal true only, and denies what is unclear', () => {
  const answers: readonly (readonly [string, unknown])[] = [
    ['a number', 1],
    ['text', 'true'],
    ['an object', {}],
    ['nothing', undefined],
    ['null', null],
    ['a boxed boolean', Object(true)],
  ]
  test.each(answers)('%s', (_, answer) => {
    const decision = decide(withRules([permit, { ...permit, id: 'odd', when: () => answer }]))
    expect(decision).toMatchObject({
      effect: 'deny',
      reason: 'policy-failed',
      rule: 'odd',
      at: expect.stringMatching(/^orders\.ts:\d+$/),
    })
  })

  test('a promise, even one that rejects, which ends no process', async () => {
    for (const answer of [Promise.resolve(true), Promise.reject(new Error('late'))]) {
      const decision = decide(withRules([{ ...permit, when: () => answer }]))
      expect(decision).toMatchObject({
        effect: 'deny',
        reason: 'policy-failed',
        detail: 'the predicate is asynchronous',
      })
    }
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('a throw, with rule, file and the line that threw', () => {
    const when = (r: { parameters: { missing: { value: number } } }): boolean => r.parameters.missing.value > 1
    const line = Number(/decide\.test\.ts:(\d+)/.exec(new Error().stack ?? '')?.[1]) - 1
    const decision = decide(withRules([permit, { ...permit, id: 'broken', effect: 'deny', when }]))
    expect(decision).toEqual({
      effect: 'deny',
      reason: 'policy-failed',
      rule: 'broken',
      at: `decide.test.ts:${line}`,
      detail: 'the predicate threw TypeError',
    })
  })

  test('what a predicate throws is nowhere in the decision', () => {
    const when = (r: { parameters: { amount: unknown } }): boolean => {
      throw new Error(`cannot do ${String(r.parameters.amount)}`)
    }
    expect(JSON.stringify(decide(withRules([{ ...permit, when }])))).not.toContain('42')
  })

  test.each([
    ['text', 'stop'],
    ['an error without stack', Object.assign(new Error('x'), { stack: undefined })],
    [
      'an error with a hostile stack',
      Object.defineProperty(new Error('x'), 'stack', {
        get: () => {
          throw new Error('no')
        },
      }),
    ],
    ['nothing', undefined],
  ])('a throw of %s', (_, thrown) => {
    const when = (): boolean => {
      // eslint-disable-next-line typescript/only-throw-error -- a policy's author may throw anything
      throw thrown
    }
    expect(decide(withRules([{ ...permit, when }]))).toMatchObject({
      effect: 'deny',
      reason: 'policy-failed',
      rule: 'permit',
    })
  })

  test('a failing permit, though another permits', () => {
    const when = (): boolean => {
      throw new Error('down')
    }
    expect(decide(withRules([permit, { ...permit, id: 'a', when }]))).toMatchObject({ effect: 'deny', rule: 'a' })
  })

  test('operators on decimals', () => {
    const when = (r: { parameters: { amount: number } }): boolean => r.parameters.amount <= 50
    expect(decide(withRules([{ ...permit, when }]))).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
  })

  test('a fact the rule does not need', () => {
    const when = (r: { facts: { account?: { blocked?: boolean } } }): boolean => r.facts.account?.blocked !== true
    expect(decide(withRules([{ ...permit, when }]))).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
  })

  test('an environment nobody declared', () => {
    const deny = {
      ...permit,
      id: 'deny',
      effect: 'deny',
      when: (r: { environment?: string }) => r.environment === 'production',
    }
    expect(decide(withRules([permit, deny]), request({ environment: 'production' }))).toMatchObject({
      reason: 'policy-failed',
      rule: 'deny',
    })
  })
})

describe('decide() combines what matched', () => {
  test('deny over approve over permit', () => {
    const approve = { ...permit, id: 'approve', effect: 'approve' }
    const deny = { ...permit, id: 'deny', effect: 'deny', description: 'Refunds are off.' }
    expect(decide(withRules([permit, approve]))).toMatchObject({
      effect: 'approve',
      rule: 'approve',
      rules: ['approve', 'permit'],
    })
    expect(decide(withRules([permit, approve, deny]))).toEqual({
      effect: 'deny',
      reason: 'policy-denied',
      rule: 'deny',
      detail: 'Refunds are off.',
    })
  })

  test('an approval comes from the rule, or else from the agent', () => {
    const approve = { ...permit, effect: 'approve' }
    expect(decide(withRules([approve]))).toMatchObject({ approvers: ['group:leads'] })
    expect(decide(withRules([{ ...approve, approvers: ['user:cfo', 'user:ceo'] }]))).toMatchObject({
      approvers: ['user:ceo', 'user:cfo'],
    })
  })

  test('two approvals need someone who may give both', () => {
    const one = { ...permit, effect: 'approve', approvers: ['a', 'b'] }
    const both = withRules([one, { ...one, id: 'two', approvers: ['c', 'b'] }])
    expect(decide(both)).toMatchObject({ effect: 'approve', approvers: ['b'] })
    const none = withRules([one, { ...one, id: 'two', approvers: ['c'] }])
    expect(decide(none)).toMatchObject({ effect: 'deny', reason: 'policy-failed', rule: 'permit' })
  })

  test('several permits: shortest life, fewest calls, every counter, lowest cap', () => {
    const policy = withRules([
      { ...permit, id: 'a', limits: { ttlSeconds: 20, calls: 5, totals: { amount: '200.00' } } },
      {
        ...permit,
        id: 'b',
        limits: { ttlSeconds: 90, calls: 3, totals: { amount: '500.00' }, agent: { calls: 9, windowSeconds: 60 } },
      },
    ])
    expect(decide(policy)).toMatchObject({
      rules: ['a', 'b'],
      ttlSeconds: 20,
      limits: [
        { per: 'agent', id: 'calls:refund.create:60s', max: 9, window_seconds: 60 },
        { per: 'grant', id: 'calls', max: 3 },
        {
          per: 'task',
          id: 'total:refund.create:amount:2:EUR',
          max: 20_000,
          parameter: 'amount',
          scale: 2,
          unit: 'EUR',
        },
      ],
    })
  })

  test('exact over constraints, and constraints that hold in both', () => {
    const wide = {
      ...permit,
      id: 'wide',
      grant: { parameters: { amount: { max: '500.00' }, note: { any: true, optional: true } } },
    }
    const narrow = { ...permit, id: 'narrow', grant: { parameters: { amount: { min: '1.00', max: '50.00' } } } }
    expect(decide(withRules([wide]))).toMatchObject({ constraints: wide.grant.parameters })
    expect(decide(withRules([wide, narrow]))).toMatchObject({ constraints: { amount: { min: '1.00', max: '50.00' } } })
    expect(decide(withRules([wide, permit]))).not.toHaveProperty('constraints')
  })

  test('exact over a class', () => {
    const wide = { id: 'wide', action: 'order.read', effect: 'permit', grant: { resource: 'class' } }
    const exact = { id: 'exact', action: 'order.read', effect: 'permit' }
    expect(decide(withRules([wide]), readRequest())).toMatchObject({ identifier: 'order:*' })
    expect(decide(withRules([wide, exact]), readRequest())).toMatchObject({
      resource: 'exact',
      identifier: 'order:123',
    })
  })

  test('refuses more limits than a grant carries', () => {
    const rules = Array.from({ length: 17 }, (_, index) => ({
      ...permit,
      id: `r${index}`,
      limits: { agent: { calls: 1, windowSeconds: index + 1 } },
    }))
    expect(decide(withRules(rules))).toMatchObject({ effect: 'deny', reason: 'policy-failed', rule: 'r0' })
  })
})

describe('decide() never grants more than the rules were asked about', () => {
  const reads = { id: 'reads', action: 'order.read', effect: 'permit', grant: { resource: 'class' } }
  interface Asked {
    readonly resource: string
    readonly resourceParts: { readonly id: string }
    readonly parameters: object
  }

  test('a class where no rule tells resources apart', () => {
    const other = {
      ...reads,
      id: 'other',
      effect: 'deny',
      grant: undefined,
      when: (r: { purpose: string }) => r.purpose === 'triage',
    }
    expect(decide(withRules([reads, other]), readRequest())).toMatchObject({ resource: 'class', identifier: 'order:*' })
  })

  test.each([
    ['the permit looks at the resource', { ...reads, id: 'b', when: (r: Asked) => r.resource === 'order:123' }],
    ['the permit looks at a part of it', { ...reads, id: 'b', when: (r: Asked) => r.resourceParts.id === '123' }],
    [
      'a deny looks at it and says no',
      { ...reads, id: 'b', effect: 'deny', grant: undefined, when: (r: Asked) => r.resource === 'order:666' },
    ],
    [
      'a deny spreads the request',
      { ...reads, id: 'b', effect: 'deny', grant: undefined, when: (r: Asked) => ({ ...r }).resource === 'order:666' },
    ],
    ['a deny names one resource', { ...reads, id: 'b', effect: 'deny', grant: undefined, resources: ['order:666'] }],
    [
      'an approval is for one resource',
      { ...reads, id: 'b', effect: 'approve', grant: undefined, resources: ['order:666'] },
    ],
    ['a stricter permit names one resource', { ...reads, id: 'b', grant: undefined, resources: ['order:666'] }],
  ])('not a class where %s', (_, rule) => {
    expect(decide(withRules([reads, rule]), readRequest())).toMatchObject({
      effect: 'permit',
      resource: 'exact',
      identifier: 'order:123',
    })
  })

  const within = {
    ...permit,
    grant: { parameters: { amount: { max: '500.00' }, note: { any: true, optional: true } } },
  }
  test.each([
    ['the permit looks at them', { ...within, id: 'b', when: (r: Asked) => r.parameters !== undefined }],
    [
      'a deny looks at them and says no',
      { ...permit, id: 'b', effect: 'deny', when: (r: Asked) => r.parameters === undefined },
    ],
    [
      'another permit has them outside its constraints',
      { ...permit, id: 'b', grant: { parameters: { amount: { max: '5.00' } } } },
    ],
  ])('no constraints where %s', (_, rule) => {
    expect(decide(withRules([within, rule]))).not.toHaveProperty('constraints')
  })
})

describe('decide() lets no rule change what another sees', () => {
  const nested = { ...base, rules: [] }
  test.each([
    ['the request', (r: object) => Object.assign(r, { purpose: 'triage' })],
    ['the parameters', (r: { parameters: object }) => Object.assign(r.parameters, { amount: '0.01' })],
    ['a decimal', (r: { parameters: { amount: object } }) => Object.assign(r.parameters.amount, { lte: () => true })],
    ['the claims', (r: { identity: { claims: object } }) => Object.assign(r.identity.claims, { admin: true })],
    ['the posture', (r: { posture: object }) => Object.assign(r.posture, { ok: true })],
    ['the task', (r: { task: object }) => Object.assign(r.task, { refusals: 0 })],
    ['a part of the resource', (r: { resourceParts: object }) => Object.assign(r.resourceParts, { id: '1' })],
  ])('%s', (_, change) => {
    const posture = { ok: false }
    const asked = request({ posture, identity: { ...request().identity, claims: { admin: false } } })
    const policy = definePolicy({
      ...nested,
      rules: [{ ...permit, when: (r) => change(r as never) !== undefined }],
    })
    expect(decide(policy, asked)).toMatchObject({
      effect: 'deny',
      reason: 'policy-failed',
      detail: 'the predicate threw TypeError',
    })
    expect([posture, asked.identity.claims]).toEqual([{ ok: false }, { admin: false }])
  })

  test('and freezes nothing of the caller', () => {
    const asked = request({ posture: { list: [1] }, parameters: { amount: '1.00' } })
    const policy = withRules([
      { ...permit, when: (r: { posture: unknown; parameters: unknown }) => r.posture !== r.parameters },
    ])
    expect(decide(policy, asked).effect).toBe('permit')
    expect([asked.posture, asked.parameters, asked.posture?.['list'], asked.identity].some(Object.isFrozen)).toBe(false)
  })
})

describe('decide() shows rules what they may go by, and nothing else', () => {
  const seen = (asked: DecisionRequest, changes: object = {}): Record<string, unknown> => {
    const found: Record<string, unknown> = {}
    const policy = withRules([{ ...permit, when: (r: object) => Object.assign(found, r) !== undefined }], {
      environments: ['test'],
      ...changes,
    })
    decide(policy, { environment: 'test', ...asked })
    return found
  }

  test('its members', () => {
    const asked = request({ onBehalfOf: { iss: 'https://idp.example', sub: 'user-7' }, riskScore: 0.2 })
    expect(Object.keys(seen(asked)).toSorted()).toEqual([
      'action', 'agent', 'environment', 'facts', 'hour', 'identity', 'now', 'onBehalfOf', 'owner', 'parameters', 'posture',
      'purpose', 'resource', 'resourceParts', 'risk', 'riskScore', 'task', 'weekday',
    ]) // prettier-ignore
    expect(seen(asked)).toMatchObject({
      owner: 'team:support',
      resourceParts: { id: '123' },
      risk: 'write',
      riskScore: 0.2,
      onBehalfOf: { iss: 'https://idp.example', sub: 'user-7' },
      hour: 10,
      weekday: 'saturday',
    })
  })

  test('never a note, wherever the caller put one', () => {
    const note = 'the CEO said it is fine'
    const asked = request()
    const found = seen({
      ...asked,
      note,
      task: { ...asked.task, note },
      identity: { ...asked.identity, note },
      onBehalfOf: { iss: 'i', sub: 's', note },
    } as unknown as DecisionRequest)
    expect(JSON.stringify({ ...found, facts: null })).not.toContain(note)
  })

  test.each([
    [0, 0, 'thursday'],
    [now, 10, 'saturday'],
    [now + 14 * 3600, 0, 'sunday'],
    [now + 13 * 3600 + 3599.999, 23, 'saturday'],
  ])('at %d it is %i o’clock on a %s', (time, hour, weekday) => {
    expect(seen(request({ now: time }))).toMatchObject({ hour, weekday })
  })

  test('what the task did', () => {
    const policy = definePolicy({
      ...base,
      rules: [
        {
          ...permit,
          limits: { totals: { amount: '200.00' } },
          when: (r) =>
            r.task.uses('order.read') === 2 &&
            r.task.uses('order.delete') === 0 &&
            r.task.spent('refund.create', 'amount').eq('10.50'),
        },
      ],
    })
    const task = { ...request().task, uses: { 'order.read': 2 }, spent: { 'total:refund.create:amount:2:EUR': 1050 } }
    expect(decide(policy, request({ task })).effect).toBe('permit')
  })

  test('a total nobody counts is a failure, not a zero', () => {
    const policy = definePolicy({
      ...base,
      rules: [{ ...permit, when: (r) => r.task.spent('credit.create', 'fee').lte('5') }],
    })
    expect(decide(policy)).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
  })
})

describe('decide() refuses early what the ledger would refuse', () => {
  const capped = withRules([{ ...permit, limits: { totals: { amount: '200.00' }, task: { calls: 3 } } }])
  const id = 'total:refund.create:amount:2:EUR'
  test.each([
    [{ [id]: 15_800 }, 'permit'],
    [{ [id]: 15_801 }, 'deny'],
    [{ [id]: Number.NaN }, 'deny'],
    [{ 'calls:refund.create': 2 }, 'permit'],
    [{ 'calls:refund.create': 3 }, 'deny'],
  ])('%j spent: %s', (spent, effect) => {
    expect(decide(capped, request({ task: { ...request().task, spent } })).effect).toBe(effect)
  })

  test('names the rule and the limit', () => {
    const spent = { [id]: 20_000 }
    expect(decide(capped, request({ task: { ...request().task, spent } }))).toEqual({
      effect: 'deny',
      reason: 'limit-exceeded',
      rule: 'permit',
      detail: `the task has too little left of ${id}`,
    })
  })

  test('a total over a parameter that is missing', () => {
    const policy = withRules([{ ...permit, action: 'credit.create', limits: { totals: { fee: '5.00' } } }])
    expect(decide(policy, request({ action: 'credit.create' }))).toMatchObject({
      effect: 'deny',
      reason: 'amount-invalid',
      rule: 'permit',
    })
  })
})
