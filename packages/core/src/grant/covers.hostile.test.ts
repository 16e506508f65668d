import { describe, expect, test } from 'vitest'
import { confusionsOf } from '../../test/confusions.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { parseStrictJson } from '../json/parse-strict-json.ts'
import { covers, parameterDigest } from './covers.ts'
import type { Constraint, ToolCallEntry } from './entry.ts'
import { parseToolCallEntry } from './parse-entry.ts'

const base = {
  type: 'urn:hallpass:tool-call',
  locations: ['https://orders.example'],
  actions: ['refund.create'],
  identifier: 'order:caf\u00e9-7',
  limits: [],
} as const
const parameters: JsonObject = {
  amount: '42.00',
  count: 7,
  note: 'hi',
  tags: ['a', 'b'],
  deep: { a: { b: 1 } },
  on: true,
}
const ask = { audience: base.locations[0], action: base.actions[0], resource: base.identifier, parameters }
const byDigest: ToolCallEntry = { ...base, parameter_digest: parameterDigest(parameters) }
const constraints: Readonly<Record<string, Constraint>> = {
  amount: { min: '1', max: '50.00' },
  count: { equals: 7 },
  note: { prefix: 'hi' },
  tags: { equals: ['a', 'b'] },
  deep: { equals: { a: { b: 1 } } },
  on: { one_of: [true] },
}
const byConstraints: ToolCallEntry = { ...base, constraints }

describe.each([
  ['by digest', byDigest],
  ['by constraints', byConstraints],
])('covers() %s', (kind, entry) => {
  test('takes the call it was made for, members in any order', () => {
    const turned = Object.fromEntries(Object.entries(parameters).toReversed())
    expect(covers(entry, { ...ask, parameters: turned })).toEqual({ ok: true, value: true })
  })

  test.each(confusionsOf(base.identifier).filter(([, bad]) => typeof bad === 'string'))(
    'refuses as resource %s',
    (_title, bad) => {
      expect(covers(entry, { ...ask, resource: bad as string })).toMatchObject({ reason: 'resource-mismatch' })
    },
  )

  test.each([
    'order:cafe\u0301-7',
    'order:caf\u00c9-7',
    'order:\u200bcaf\u00e9-7',
    'order:caf\u00e9-7/../8',
    'order:*',
    'order:caf\u00e9-7*',
    'order:caf%C3%A9-7',
    'order::caf\u00e9-7',
    'orders:caf\u00e9-7',
    'order',
    'order:',
    '',
  ])('refuses as resource %j', (resource) => {
    expect(covers(entry, { ...ask, resource })).toMatchObject({ reason: 'resource-mismatch' })
  })

  const mismatch = kind === 'by digest' ? ['parameters-mismatch'] : ['constraint-failed', 'parameters-invalid']
  // Inside a prefix and a range, other texts are what was granted.
  const isGranted = (name: string, bad: JsonValue) =>
    kind === 'by constraints' &&
    ((name === 'note' && typeof bad === 'string' && bad.startsWith('hi') && !/[\0\n]/.test(bad)) ||
      (name === 'amount' && bad === '42.0'))
  const rows = Object.entries(parameters).flatMap(([name, good]) =>
    confusionsOf(good)
      .filter(([, bad]) => JSON.stringify(bad) !== JSON.stringify(good) && !isGranted(name, bad))
      .map(([title, bad]) => [`${name}: ${title}`, name, bad] as const),
  )
  test.each(rows)('refuses as parameter %s', (_title, name, bad) => {
    const answer = covers(entry, { ...ask, parameters: { ...parameters, [name]: bad } })
    expect([answer.ok, mismatch]).toEqual([false, expect.arrayContaining([(answer as { reason?: string }).reason])])
  })

  test.each([
    [
      'a parameter more',
      '{"amount":"42.00","count":7,"note":"hi","tags":["a","b"],"deep":{"a":{"b":1}},"on":true,"to":"me"}',
    ],
    [
      'a prototype member more',
      '{"amount":"42.00","count":7,"note":"hi","tags":["a","b"],"deep":{"a":{"b":1}},"on":true,"constructor":{}}',
    ],
    ['a parameter less', '{"amount":"42.00","count":7,"note":"hi","tags":["a","b"],"deep":{"a":{"b":1}}}'],
    ['a name in capitals', '{"Amount":"42.00","count":7,"note":"hi","tags":["a","b"],"deep":{"a":{"b":1}},"on":true}'],
    [
      'a list in another order',
      '{"amount":"42.00","count":7,"note":"hi","tags":["b","a"],"deep":{"a":{"b":1}},"on":true}',
    ],
    [
      'a member more, deep down',
      '{"amount":"42.00","count":7,"note":"hi","tags":["a","b"],"deep":{"a":{"b":1,"c":1}},"on":true}',
    ],
    ['nothing', '{}'],
  ])('refuses %s', (_title, text) => {
    const read = parseStrictJson(text)
    const sent = (read.ok ? read.value : {}) as JsonObject
    const answer = covers(entry, { ...ask, parameters: sent })
    expect([answer.ok, mismatch]).toEqual([false, expect.arrayContaining([(answer as { reason?: string }).reason])])
  })

  test.each([
    '1e1',
    '4.2e1',
    '+42.00',
    '042.00',
    '42.',
    '.5',
    '42,00',
    '42.00 ',
    '٤٢',
    '４２',
    '0x2a',
    '-0',
    'NaN',
    'Infinity',
    '42.00\0',
    '1_0',
  ])('refuses the amount %j', (amount) => {
    const answer = covers(entry, { ...ask, parameters: { ...parameters, amount } })
    expect([answer.ok, mismatch]).toEqual([false, expect.arrayContaining([(answer as { reason?: string }).reason])])
  })
})

const digest = `sha-256:${'A'.repeat(43)}`
const limit = { id: 'total', per: 'agent', max: 5, parameter: 'amount', scale: 2, unit: 'EUR', window_seconds: 60 }
const written = { ...base, identifier: 'order:7', parameter_digest: digest, limits: [limit] }

describe('parseToolCallEntry() takes no entry whose', () => {
  const shapes = Object.entries({ ...written }).flatMap(([name, good]) =>
    confusionsOf(good as JsonValue).map(
      ([title, bad]) => [`${name}: ${title}`, { ...written, [name]: bad }, bad] as const,
    ),
  )
  // A text that is another name is a good entry for something else.
  const isOtherName = (title: string, bad: JsonValue) =>
    title.startsWith('identifier') && typeof bad === 'string' && /^[^:\p{Cc}]+:.*[^:]$/u.test(bad)
  const isNone = (title: string) => title === 'limits: an empty list'
  test.each(shapes.filter(([title, , bad]) => !isOtherName(title, bad) && !isNone(title)))('%s', (_title, entry) => {
    expect(parseToolCallEntry(entry as unknown as JsonValue)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })

  const ofLimit = Object.entries(limit).flatMap(([name, good]) =>
    confusionsOf(good).map(
      ([title, bad]) => [`limit has as ${name} ${title}`, { ...limit, [name]: bad }, bad] as const,
    ),
  )
  const isFree = (title: string, bad: JsonValue) =>
    /as (id|parameter|unit) /.test(title) && typeof bad === 'string' && bad !== '' && !/\p{Cc}/u.test(bad)
  const isCount = (title: string, bad: JsonValue) =>
    / (max|window_seconds) /.test(title) && typeof bad === 'number' && bad > 0
  test.each(ofLimit.filter(([title, , bad]) => !isFree(title, bad) && !isCount(title, bad)))('%s', (_title, one) => {
    const entry = { ...written, limits: [one] } as unknown as JsonValue
    expect(parseToolCallEntry(entry)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })

  test.each<[string, JsonValue]>([
    ['constraint has no operator', {}],
    ['constraint is only optional', { optional: true }],
    ['constraint has two operators', { equals: 1, any: true }],
    ['constraint has a range and a prefix', { min: '1', prefix: 'a' }],
    ['operator is unknown', { regex: '.*' }],
    ['operator is in capitals', { MAX: '1' }],
    ['operator is of another profile', { not_one_of: [1] }],
    ['any is not true', { any: 1 }],
    ['any is false', { any: false }],
    ['max is a number', { max: 5 }],
    ['max has an exponent', { max: '5e1' }],
    ['max is infinite', { max: 'Infinity' }],
    ['max is null', { max: null }],
    ['min is null beside a max', { min: null, max: '5' }],
    ['choices are none', { one_of: [] }],
    ['choices are one text', { one_of: 'abc' }],
    ['choices are an object', { one_of: { 0: 'a', length: 1 } }],
    ['choices are more than 64', { one_of: Array.from({ length: 65 }, (_, at) => at) }],
    ['prefix is empty', { prefix: '' }],
    ['prefix is a list', { prefix: ['a'] }],
    ['optional is text', { any: true, optional: 'false' }],
    ['optional is null', { any: true, optional: null }],
    ['constraint is null', null],
    ['constraint is a text', 'any'],
    ['constraint is a list', [{ any: true }]],
    ['constraint is true', true],
  ])('%s', (_title, constraint) => {
    const { parameter_digest: _digest, ...rest } = written
    const entry = { ...rest, constraints: { amount: constraint } } as unknown as JsonValue
    expect(parseToolCallEntry(entry)).toMatchObject({ ok: false, reason: 'constraint-unknown' })
  })
})
