import { Decimal, isPromise } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { base, readRequest, request } from '../../test/orders.ts'
import { definePolicy } from '../define-policy.ts'
import type { Policy } from '../policy.ts'

type Load = (r: { resource: string; purpose: string }, signal: AbortSignal) => unknown

/** A policy whose one permit needs one fact. */
const policyWith = (load: Load, when: (r: { facts: { account: unknown } }) => boolean = () => true): Policy =>
  definePolicy({
    ...base,
    facts: { account: { load, timeoutMs: 50 } },
    rules: [
      { id: 'needy', action: 'refund.create', effect: 'permit', needs: ['account'], when },
      { id: 'plain', action: 'order.read', effect: 'permit' },
    ],
  })

describe('decide() loads facts', () => {
  test('before the rule that needs them, and answers with a digest of them', async () => {
    const policy = policyWith(
      async () => ({ tier: 'gold', credit: Decimal.of('5.00') }),
      (r) => JSON.stringify(r.facts.account).includes('gold'),
    )
    const one = await policy.decide(request())
    expect(one).toMatchObject({ effect: 'permit', facts: expect.stringMatching(/^sha-256:[\w-]{43}$/) })
    expect(await policy.decide(request())).toEqual(one)
    const other = await policyWith(async () => ({ tier: 'gold', credit: Decimal.of('5.01') })).decide(request())
    expect(other.facts).not.toBe(one.facts)
  })

  test('only where a rule that is about the request needs them', () => {
    const load = vi.fn(() => 1)
    const policy = definePolicy({
      ...base,
      facts: { account: { load, timeoutMs: 50 } },
      rules: [
        { id: 'a', action: 'refund.create', effect: 'permit' },
        { id: 'b', action: 'refund.create', effect: 'deny', needs: ['account'], agents: ['night-bot'] },
        { id: 'c', action: 'order.read', effect: 'deny', needs: ['account'] },
      ],
    })
    expect(isPromise(policy.decide(request()))).toBe(false)
    expect(load).not.toHaveBeenCalled()
  })

  test('once, however many rules need one', async () => {
    const load = vi.fn(() => 1)
    const rule = { action: 'refund.create', effect: 'permit', needs: ['account'] } as const
    const facts = { account: { load, timeoutMs: 50 } }
    const policy = definePolicy({
      ...base,
      facts,
      rules: [
        { ...rule, id: 'a' },
        { ...rule, id: 'b' },
      ],
    })
    expect(await policy.decide(request())).toMatchObject({ rules: ['a', 'b'] })
    expect(load).toHaveBeenCalledOnce()
  })
})

describe('decide() denies when a fact fails', () => {
  const cyclic: { self?: object } = {}
  cyclic.self = cyclic
  test.each<readonly [string, Load, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
      /could not be loaded: Error/,
    ],
    [
      'rejects',
      async () => {
        throw new RangeError('secret')
      },
      /could not be loaded: RangeError/,
    ],
    [
      'rejects with an odd error',
      async () => Promise.reject(Object.assign(new Error('x'), { constructor: undefined })),
      /could not be loaded/,
    ],
    ['is late', () => new Promise(() => undefined), /took longer than 50 ms/],
    ['is undefined', () => undefined, /is undefined; facts are plain data/],
    ['is a date', () => ({ since: new Date(0) }), /not plain data/],
    ['is a map', () => new Map(), /not plain data/],
    ['is a function', () => ({ check: () => true }), /is a function/],
    ['is not a number', () => NaN, /not finite/],
    ['goes round in circles', () => cyclic, /nested too deep/],
    [
      'has a hostile getter',
      () =>
        Object.defineProperty({}, 'x', {
          enumerable: true,
          get: () => {
            throw new Error('secret')
          },
        }),
      /cannot be read/,
    ],
    ['has no canonical text', () => '\ud800', /./],
  ])('%s', async (_, load, detail) => {
    const decision = await policyWith(load).decide(request())
    expect(decision).toMatchObject({ effect: 'deny', reason: 'policy-failed', detail: expect.stringMatching(detail) })
    expect(JSON.stringify(decision)).not.toContain('secret')
  })

  test('and names the rule and where the policy was defined', async () => {
    expect(await policyWith(() => undefined).decide(request())).toMatchObject({
      rule: 'needy',
      at: expect.stringMatching(/^load-facts\.test\.ts:\d+$/),
    })
  })

  test('though the fact failed for a rule that would have said no', async () => {
    const policy = definePolicy({
      ...base,
      facts: { account: { load: () => Promise.reject(new Error('down')), timeoutMs: 50 } },
      rules: [
        { id: 'a', action: 'refund.create', effect: 'permit' },
        { id: 'b', action: 'refund.create', effect: 'deny', needs: ['account'], when: () => false },
      ],
    })
    expect(await policy.decide(request())).toMatchObject({ effect: 'deny', reason: 'policy-failed', rule: 'b' })
  })

  test('tells a late loader to stop, and survives what it does then', async () => {
    let told: AbortSignal | undefined
    const load: Load = (_r, signal) =>
      new Promise((_resolve, reject) => {
        told = signal
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      })
    expect(await policyWith(load).decide(request())).toMatchObject({ detail: expect.stringContaining('took longer') })
    expect(told?.aborted).toBe(true)
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('decide() keeps facts apart', () => {
  test('rules get frozen copies', async () => {
    const account = { list: [1] }
    const policy = policyWith(
      () => account,
      (r) => Object.assign((r.facts.account as { list: number[] }).list, { 0: 2 }) !== undefined,
    )
    expect(await policy.decide(request())).toMatchObject({ effect: 'deny', reason: 'policy-failed' })
    expect(account).toEqual({ list: [1] })
    expect(Object.isFrozen(account.list)).toBe(false)
  })

  const classed = (load: Load): Policy =>
    definePolicy({
      ...base,
      facts: { account: { load, timeoutMs: 50 } },
      rules: [{ id: 'a', action: 'order.read', effect: 'permit', grant: { resource: 'class' }, needs: ['account'] }],
    })

  test('a fact about one resource makes no grant for all of them', async () => {
    expect(await classed((r) => r.purpose).decide(readRequest())).toMatchObject({ resource: 'class' })
    expect(await classed((r) => r.resource).decide(readRequest())).toMatchObject({ resource: 'exact' })
    expect(await classed(async (r) => (await Promise.resolve(), r.resource)).decide(readRequest())).toMatchObject({
      resource: 'exact',
    })
  })

  test('given values are about this request only, given loaders are as good as the policy’s own', async () => {
    const policy = classed((r) => r.resource)
    expect(await policy.decide(readRequest(), { facts: { account: 1 } })).toMatchObject({ resource: 'exact' })
    expect(await policy.decide(readRequest(), { facts: { account: () => 1 } })).toMatchObject({ resource: 'class' })
    expect(isPromise(policy.decide(readRequest(), { facts: { account: 1 } }))).toBe(false)
  })

  test('a given fact the policy does not have changes nothing', () => {
    expect(policyWith(() => 1).decide(readRequest(), { facts: { other: 1 } })).toMatchObject({ effect: 'permit' })
  })
})
