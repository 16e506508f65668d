import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { covers, parameterDigest } from './covers.ts'
import type { Constraint, Constraints, Limit, ToolCallEntry } from './entry.ts'
import { narrower } from './narrower.ts'

const base = {
  type: 'urn:hallpass:tool-call',
  locations: ['https://a.example'],
  actions: ['x'],
  identifier: 'order:*',
} as const
const limit: Limit = { id: 'calls', per: 'grant', max: 5 }
const other: Limit = { id: 'total', per: 'task', max: 9 }
const full = { ...limit, per: 'agent', parameter: 'a', scale: 2, unit: 'EUR', window_seconds: 60 }
const entry = (constraints: object, more: object = {}) =>
  ({ ...base, limits: [], constraints, ...more }) as ToolCallEntry
const digest = parameterDigest({ a: '1' })
const exact = (value: string, more: object = {}) =>
  ({ ...base, limits: [], parameter_digest: value, ...more }) as ToolCallEntry

const value: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue[]>(
  '0',
  '1',
  '1.0',
  '2',
  '5',
  '10',
  '-1',
  'a',
  'ab',
  'a/b',
  'a/../b',
  1,
  5,
  true,
  null,
  ['1'],
)
const bound = fc.constantFrom('-1', '0', '1', '1.0', '2', '5', '10')
const operator: fc.Arbitrary<Constraint> = fc.oneof(
  fc.record({ equals: value }),
  fc.record({ one_of: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ min: bound }),
  fc.record({ max: bound }),
  fc.record({ min: bound, max: bound }),
  fc.record({ prefix: fc.constantFrom('a', 'ab', 'a/', '1') }),
  fc.constant({ any: true } as const),
)
const constraint: fc.Arbitrary<Constraint> = fc
  .tuple(operator, fc.boolean())
  .map(([own, optional]) => (optional ? { ...own, optional } : own))
const names = fc.constantFrom('a', 'b')
const constraints: fc.Arbitrary<Constraints> = fc.dictionary(names, constraint, { maxKeys: 2 })
const parameters: fc.Arbitrary<JsonObject> = fc.dictionary(names, value, { maxKeys: 2 })
const identifier = fc.constantFrom('order:*', 'order:1', 'order:2', 'user:1')

describe('narrower()', () => {
  test('whatever the child covers, the parent covers', () => {
    const made = fc.record({ identifier, constraints })
    let seen = 0
    fc.assert(
      fc.property(
        made,
        made,
        identifier,
        fc.array(parameters, { minLength: 12, maxLength: 24 }),
        (...[one, other, resource, asked]) => {
          const child = entry(one.constraints, { identifier: one.identifier })
          const parent = entry(other.constraints, { identifier: other.identifier })
          const isNarrower = narrower(child, parent)
          const ask = { audience: 'https://a.example', action: 'x', resource }
          const escaped = asked.filter(
            (set) => covers(child, { ...ask, parameters: set }).ok && !covers(parent, { ...ask, parameters: set }).ok,
          )
          seen += isNarrower ? 1 : 0
          expect(isNarrower ? escaped : []).toEqual([])
        },
      ),
      { numRuns: 3000 },
    )
    expect(seen).toBeGreaterThan(60)
  })

  test('an entry is narrower than itself', () => {
    fc.assert(
      fc.property(constraints, (own) => {
        fc.pre(Object.values(own).every((item) => !('equals' in item)))
        expect(narrower(entry(own), entry(own))).toBe(true)
      }),
    )
  })

  test.each<[string, ToolCallEntry, ToolCallEntry]>([
    ['the same digest', exact(digest), exact(digest)],
    ['one resource of a class', exact(digest, { identifier: 'order:1' }), exact(digest)],
    ['a smaller maximum', entry({ a: { max: '5.0' } }), entry({ a: { max: '10' } })],
    ['a value inside a range', entry({ a: { equals: '7' } }), entry({ a: { min: '1', max: '10' } })],
    ['a longer prefix', entry({ a: { prefix: 'docs/a' } }), entry({ a: { prefix: 'docs/' } })],
    ['fewer choices', entry({ a: { one_of: [1] } }), entry({ a: { one_of: [1, 2] } })],
    ['an optional parameter that is left out', entry({}), entry({ a: { any: true, optional: true } })],
    ['a smaller limit', exact(digest, { limits: [{ ...limit, max: 1 }] }), exact(digest, { limits: [limit] })],
    ['one limit more', exact(digest, { limits: [limit] }), exact(digest)],
    [
      'two limits, in another order',
      exact(digest, { limits: [other, limit] }),
      exact(digest, { limits: [limit, other] }),
    ],
    ['the same limit', exact(digest, { limits: [limit] }), exact(digest, { limits: [limit] })],
    [
      'a scale of 0 for none',
      exact(digest, { limits: [{ ...limit, parameter: 'a', scale: 0 }] }),
      exact(digest, { limits: [{ ...limit, parameter: 'a' }] }),
    ],
    ['a value among the choices', entry({ a: { equals: 2 } }), entry({ a: { one_of: [1, 2] } })],
    ['a value for itself', entry({ a: { equals: 2 } }), entry({ a: { equals: 2 } })],
    ['anything inside any value', entry({ a: { min: '1' } }), entry({ a: { any: true } })],
    ['a range with one end more', entry({ a: { min: '1', max: '5' } }), entry({ a: { max: '5' } })],
    ['a range with the other end more', entry({ a: { min: '1', max: '5' } }), entry({ a: { min: '1' } })],
    ['the same prefix', entry({ a: { prefix: 'docs/' } }), entry({ a: { prefix: 'docs/' } })],
    [
      'an optional parameter that is needed now',
      entry({ a: { any: true } }),
      entry({ a: { any: true, optional: true } }),
    ],
  ])('says yes to %s', (_name, child, parent) => {
    expect(narrower(child, parent)).toBe(true)
  })

  test.each<[string, ToolCallEntry, ToolCallEntry]>([
    ['another digest', exact(parameterDigest({ a: '2' })), exact(digest)],
    ['constraints inside a digest', entry({ a: { equals: '1' } }), exact(digest)],
    ['a digest inside constraints, which nobody can see', exact(digest), entry({ a: { any: true } })],
    ['the class of a resource', exact(digest), exact(digest, { identifier: 'order:1' })],
    ['another kind', exact(digest, { identifier: 'user:1' }), exact(digest)],
    ['another action', exact(digest, { actions: ['y'] }), exact(digest)],
    ['another audience', exact(digest, { locations: ['https://b.example'] }), exact(digest)],
    ['one parameter more', entry({ a: { any: true }, b: { any: true } }), entry({ a: { any: true } })],
    ['a parameter the parent has by inheritance only', entry({ constructor: { any: true } }), entry({})],
    ['a needed parameter left out', entry({}), entry({ a: { any: true } })],
    ['a needed parameter made optional', entry({ a: { any: true, optional: true } }), entry({ a: { any: true } })],
    ['a maximum larger as a number, smaller as text', entry({ a: { max: '10' } }), entry({ a: { max: '9' } })],
    ['a range without its lower end', entry({ a: { max: '5' } }), entry({ a: { min: '1', max: '5' } })],
    ['any value', entry({ a: { any: true } }), entry({ a: { max: '5' } })],
    ['one choice more', entry({ a: { one_of: ['x', 'y'] } }), entry({ a: { one_of: ['x'] } })],
    ['a number for text', entry({ a: { equals: 1 } }), entry({ a: { equals: '1' } })],
    ['a shorter prefix', entry({ a: { prefix: 'docs' } }), entry({ a: { prefix: 'docs/' } })],
    ['a value that climbs out of a prefix', entry({ a: { equals: 'docs/../x' } }), entry({ a: { prefix: 'docs/' } })],
    ['an operator nobody knows', entry({ a: { regex: '.' } }), entry({ a: { any: true } })],
    ['a larger limit', exact(digest, { limits: [{ ...limit, max: 6 }] }), exact(digest, { limits: [limit] })],
    ['one of two limits', exact(digest, { limits: [limit] }), exact(digest, { limits: [limit, other] })],
    ...Object.entries({ id: 'else', per: 'task', parameter: 'b', scale: 3, unit: 'JPY', window_seconds: 9 }).map(
      ([name, changed]): [string, ToolCallEntry, ToolCallEntry] => [
        `a limit with another ${name}`,
        exact(digest, { limits: [{ ...full, [name]: changed }] }),
        exact(digest, { limits: [full] }),
      ],
    ),
    ['another type', exact(digest, { type: 'urn:hallpass:task' }), exact(digest)],
    ['two locations', exact(digest, { locations: [...base.locations, 'https://b.example'] }), exact(digest)],
    ['two actions', exact(digest, { actions: ['x', 'y'] }), exact(digest)],
    ['neither digest nor constraints', exact(digest, { parameter_digest: undefined }), entry({})],
    ['constraints inside neither', entry({}), exact(digest, { parameter_digest: undefined })],
    ['a digest inside neither', exact(digest), exact(digest, { parameter_digest: undefined })],
    ['any value inside a value', entry({ a: { any: true } }), entry({ a: { equals: '1' } })],
    ['any value inside choices', entry({ a: { any: true } }), entry({ a: { one_of: ['1'] } })],
    ['any value inside a prefix', entry({ a: { any: true } }), entry({ a: { prefix: 'a' } })],
    ['any value inside a lower end', entry({ a: { any: true } }), entry({ a: { min: '1' } })],
    ['a range inside a value', entry({ a: { min: '1', max: '1' } }), entry({ a: { equals: '1' } })],
    ['a range inside choices', entry({ a: { min: '1', max: '1' } }), entry({ a: { one_of: ['1'] } })],
    ['a range inside a prefix', entry({ a: { min: '1', max: '1' } }), entry({ a: { prefix: '1' } })],
    ['a prefix inside a range', entry({ a: { prefix: '1' } }), entry({ a: { min: '1' } })],
    ['a prefix inside a value', entry({ a: { prefix: '1' } }), entry({ a: { equals: '1' } })],
    ['a lower minimum', entry({ a: { min: '0.9' } }), entry({ a: { min: '1' } })],
    ['only an upper end inside a lower one', entry({ a: { max: '5' } }), entry({ a: { min: '1' } })],
    ['only a lower end inside an upper one', entry({ a: { min: '1' } }), entry({ a: { max: '5' } })],
    ['an unknown operator inside itself', entry({ a: { regex: '.' } }), entry({ a: { regex: '.' } })],
    ['any value inside an operator nobody knows', entry({ a: { any: true } }), entry({ a: { any: true, regex: '.' } })],
    [
      'one of two needed parameters left out',
      entry({ a: { any: true } }),
      entry({ a: { any: true }, b: { any: true } }),
    ],
    ['a dropped limit', exact(digest), exact(digest, { limits: [limit] })],
    [
      'a limit in another unit',
      exact(digest, { limits: [{ ...limit, parameter: 'a', unit: 'JPY' }] }),
      exact(digest, { limits: [{ ...limit, parameter: 'a', unit: 'EUR' }] }),
    ],
  ])('says no to %s', (_name, child, parent) => {
    expect(narrower(child, parent)).toBe(false)
  })
})
