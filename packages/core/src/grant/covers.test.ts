import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import * as platform from '#crypto'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { amountsFor, covers, parameterDigest } from './covers.ts'
import type { Ask } from './covers.ts'
import type { Limit, ToolCallEntry } from './entry.ts'

const ask: Ask = {
  audience: 'https://orders.example',
  action: 'refund.create',
  resource: 'order:123',
  parameters: { amount: '42.00' },
}
const base = {
  type: 'urn:hallpass:tool-call',
  locations: [ask.audience],
  actions: [ask.action],
  identifier: ask.resource,
  limits: [],
} as const
const exact: ToolCallEntry = { ...base, parameter_digest: parameterDigest(ask.parameters) }

describe('parameterDigest()', () => {
  test.each([
    ['nothing', {}, 'sha-256:RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o'],
    ['an amount', { amount: '42.00' }, 'sha-256:0_jbHZ7gAdJb1JpxPEP0WCeCZZ6HkA0Xe5vHXIqt6GQ'],
  ])('of %s is the SHA-256 of its canonical JSON', (_name, parameters, digest) => {
    expect(parameterDigest(parameters)).toBe(digest)
  })

  test('of nothing needs no hash, as every read comes by here', () => {
    const hashes = vi.spyOn(platform, 'sha256Base64url')
    const nothing = parameterDigest({})
    expect(hashes).not.toHaveBeenCalled()
    hashes.mockRestore()
    expect(parameterDigest(Object.create(null) as JsonObject)).toBe(nothing)
  })

  test.each([[[]], [null], [0]])('of %j is not that of nothing', (value) => {
    expect(parameterDigest(value as unknown as JsonObject)).toMatch(/^sha-256:/)
    expect(parameterDigest(value as unknown as JsonObject)).not.toBe(parameterDigest({}))
  })

  test.each<[string, object]>([
    ['a map', new Map()],
    ['a date', new Date(0)],
    ['what inherits its members', Object.create({ amount: '1' }) as object],
  ])('throws for %s, which has no members either', (_name, value) => {
    expect(() => parameterDigest(value as JsonObject)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })

  test('tells apart what differs', () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<JsonValue>)
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(parameterDigest(one) === parameterDigest(other)).toBe(isSame)
      }),
    )
  })
})

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => sorted(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, item]) => [name, sorted(item)])
}

describe('covers()', () => {
  test('lets pass exactly what was granted', () => {
    expect(covers(exact, ask)).toEqual({ ok: true, value: true })
    expect(covers({ ...base, identifier: 'order:*', constraints: { amount: { max: '50' } } }, ask)).toEqual({
      ok: true,
      value: true,
    })
  })

  test.each<[string, Partial<Ask>, string]>([
    ['another audience', { audience: 'https://orders.example/' }, 'audience-mismatch'],
    ['an audience in another case', { audience: 'https://ORDERS.example' }, 'audience-mismatch'],
    ['another action', { action: 'refund.list' }, 'action-mismatch'],
    ['an action in another case', { action: 'Refund.create' }, 'action-mismatch'],
    ['an action that starts with the granted one', { action: 'refund.create.all' }, 'action-mismatch'],
    ['another resource', { resource: 'order:124' }, 'resource-mismatch'],
    ['a resource that starts with the granted one', { resource: 'order:1234' }, 'resource-mismatch'],
    ['a resource in another case', { resource: 'Order:123' }, 'resource-mismatch'],
    ['the class', { resource: 'order:*' }, 'resource-mismatch'],
    ['another amount', { parameters: { amount: '42.01' } }, 'parameters-mismatch'],
    ['the same amount written differently', { parameters: { amount: '42.0' } }, 'parameters-mismatch'],
    ['the amount as a number', { parameters: { amount: 42 } }, 'parameters-mismatch'],
    ['the amount in a list', { parameters: { amount: ['42.00'] } }, 'parameters-mismatch'],
    ['one parameter more', { parameters: { amount: '42.00', to: 'me' } }, 'parameters-mismatch'],
    ['no parameters', { parameters: {} }, 'parameters-mismatch'],
  ])('refuses %s', (_name, other, reason) => {
    expect(covers(exact, { ...ask, ...other })).toMatchObject({ ok: false, reason })
  })

  test.each<[string, object]>([
    ['neither digest nor constraints', { parameter_digest: undefined }],
    ['both', { constraints: { amount: { any: true } } }],
  ])('refuses an entry with %s', (_name, change) => {
    expect(covers({ ...exact, ...change }, ask)).toMatchObject({
      ok: false,
      reason: 'details-invalid',
    })
  })

  test.each<[string, object, string]>([
    ['two audiences', { locations: [ask.audience, 'https://b.example'] }, 'audience-mismatch'],
    ['two actions', { actions: [ask.action, 'b'] }, 'action-mismatch'],
    ['a wildcard action', { actions: ['*'] }, 'action-mismatch'],
    ['a wildcard resource', { identifier: '*' }, 'resource-mismatch'],
    ['a wildcard kind', { identifier: '*:123' }, 'resource-mismatch'],
    [
      'an unknown operator',
      { parameter_digest: undefined, constraints: { amount: { regex: '.*' } } },
      'constraint-unknown',
    ],
  ])('refuses an entry with %s', (_name, change, reason) => {
    expect(covers({ ...exact, ...change }, ask)).toMatchObject({ ok: false, reason })
  })
})

describe('amountsFor()', () => {
  const total: Limit = { id: 'total', per: 'task', max: 20000, parameter: 'amount', scale: 2, unit: 'EUR' }

  test.each<[string, readonly Limit[], JsonObject, Record<string, number>]>([
    ['nothing for counts', [{ id: 'calls', per: 'grant', max: 1 }], { amount: '1' }, {}],
    ['scaled units', [total], { amount: '42.5' }, { amount: 4250 }],
    ['one amount for two limits', [total, { ...total, per: 'grant' }], { amount: '1' }, { amount: 100 }],
    [
      'two parameters',
      [total, { ...total, id: 'n', parameter: 'count', scale: 0 }],
      { amount: '1', count: '7' },
      { amount: 100, count: 7 },
    ],
    ['zero', [total], { amount: '0' }, { amount: 0 }],
    ['whole units where no scale is named', [{ id: 't', per: 'task', max: 1, parameter: 'n' }], { n: '3' }, { n: 3 }],
  ])('answers %s', (...[, limits, parameters, amounts]) => {
    expect(amountsFor(limits, parameters)).toEqual({ ok: true, value: amounts })
  })

  test.each<[string, readonly Limit[], JsonObject]>([
    ['a missing amount', [total], {}],
    ['an amount only a prototype has', [{ ...total, parameter: 'constructor' }], {}],
    ['a number', [total], { amount: 42 }],
    ['a negative amount', [total], { amount: '-0.01' }],
    ['more digits than the scale', [total], { amount: '0.001' }],
    ['an exponent', [total], { amount: '1e2' }],
    ['an amount beyond 2^53', [total], { amount: '90071992547409.92' }],
    ['a list', [total], { amount: ['1'] }],
    ['null', [total], { amount: null }],
    ['one parameter in two scales', [total, { ...total, id: 'other', scale: 0 }], { amount: '1' }],
    ['a broken scale', [{ ...total, scale: 1.5 }], { amount: '1' }],
  ])('refuses %s', (_name, limits, parameters) => {
    expect(amountsFor(limits, parameters)).toMatchObject({ ok: false, reason: 'amount-invalid' })
  })

  test('answers a plain object', () => {
    const answer = amountsFor([total], { amount: '1' })
    const expected = { value: 100, writable: true, enumerable: true, configurable: true }
    expect(answer.ok && Object.getOwnPropertyDescriptor(answer.value, 'amount')).toEqual(expected)
  })

  test('takes a parameter named like a prototype member', () => {
    const answer = amountsFor([{ ...total, parameter: '__proto__' }], JSON.parse('{"__proto__":"1"}') as JsonObject)
    expect(answer.ok && Object.keys(answer.value)).toEqual(['__proto__'])
  })
})
