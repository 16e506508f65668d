import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { checkConstraints, satisfies } from './constraints.ts'
import type { Constraints } from './entry.ts'

const as = (constraints: object) => constraints as Constraints

describe('checkConstraints()', () => {
  test.each<[string, JsonObject]>([
    ['none', {}],
    ['equals', { a: { equals: { deep: [1] } } }],
    ['equals null', { a: { equals: null } }],
    ['one_of', { a: { one_of: ['x', 1, null] } }],
    ['min', { a: { min: '1' } }],
    ['max', { a: { max: '-1.5' } }],
    ['both ends', { a: { min: '0', max: '1' } }],
    ['prefix', { a: { prefix: 'docs/' } }],
    ['any', { a: { any: true } }],
    ['optional', { a: { any: true, optional: true } }],
    ['a parameter named like a prototype member', { constructor: { any: true } }],
    ['64 choices', { a: { one_of: Array.from({ length: 64 }, (_, i) => i) } }],
    ['64 parameters', Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`p${i}`, { any: true }]))],
  ])('knows %s', (_name, value) => {
    expect(checkConstraints(value)).toEqual({ ok: true, value })
  })

  test.each<[string, JsonValue]>([
    ['no operator', {}],
    ['only optional', { optional: true }],
    ['an unknown operator', { regex: '.*' }],
    ['a misspelt one', { maximum: '1' }],
    ['an inherited one', { toString: 'x' }],
    ['two operators', { equals: 1, any: true }],
    ['a range and another', { min: '1', prefix: 'a' }],
    ['a range and another that would do as a bound', { min: '1', prefix: '5' }],
    ['any false', { any: false }],
    ['any text', { any: 'true' }],
    ['an empty prefix', { prefix: '' }],
    ['a prefix list', { prefix: ['a'] }],
    ['an empty choice', { one_of: [] }],
    ['a choice that is text', { one_of: 'abc' }],
    ['65 choices', { one_of: Array.from({ length: 65 }, (_, i) => i) }],
    ['a number as bound', { max: 50 }],
    ['a bound with an exponent', { max: '5e1' }],
    ['a bound with a plus', { min: '+1' }],
    ['an empty bound', { max: '' }],
    ['a null bound', { min: null, max: '1' }],
    ['optional as text', { any: true, optional: 'true' }],
    ['null', null],
    ['a list', [{ any: true }]],
    ['text', 'any'],
  ])('answers constraint-unknown for %s', (_name, constraint) => {
    expect(checkConstraints({ amount: constraint })).toMatchObject({ ok: false, reason: 'constraint-unknown' })
  })

  test.each<[string, JsonValue]>([
    ['a list', []],
    ['null', null],
    ['65 of them', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, { any: true }]))],
  ])('refuses %s', (_name, value) => {
    expect(checkConstraints(value)).toMatchObject({ ok: false, reason: 'details-invalid' })
  })
})

describe('satisfies()', () => {
  const money = as({ amount: { min: '0.01', max: '50.00' } })

  test.each(['0.01', '50', '50.00', '50.000', '9', '10', '49.99'])('lets %s into 0.01 to 50.00', (amount) => {
    expect(satisfies(money, { amount })).toEqual({ ok: true, value: true })
  })

  test.each<[string, JsonValue]>([
    ['more', '50.01'],
    ['more, though smaller as text', '100'],
    ['a little more', '50.0000000001'],
    ['less', '0'],
    ['a minus', '-1'],
    ['an exponent', '1e1'],
    ['a capital exponent', '1E1'],
    ['hexadecimal', '0x10'],
    ['white space', ' 1'],
    ['a leading zero', '01'],
    ['a plus', '+1'],
    ['a thousands separator', '1,0'],
    ['a number', 1],
    ['a list of one', ['1']],
    ['an object', { value: '1' }],
    ['null', null],
    ['true', true],
    ['nothing', ''],
    ['Infinity', 'Infinity'],
    ['NaN', 'NaN'],
    ['other digits', '٣'],
  ])('keeps %s out of 0.01 to 50.00', (_name, amount) => {
    expect(satisfies(money, { amount })).toMatchObject({ ok: false, reason: 'constraint-failed' })
  })

  test.each<[string, object, JsonObject, string]>([
    ['a missing parameter', { a: { any: true } }, {}, 'constraint-failed'],
    ['a parameter that only a prototype has', { constructor: { any: true } }, {}, 'constraint-failed'],
    ['a parameter no constraint names', { a: { any: true } }, { a: 1, b: 1 }, 'parameters-invalid'],
    ['any parameter where nothing is named', {}, { a: 1 }, 'parameters-invalid'],
    ['a parameter that only a prototype names', {}, { constructor: 1 }, 'parameters-invalid'],
    [
      'an unknown operator for a parameter that is not there',
      { a: { any: true }, b: { regex: '.', optional: true } },
      { a: 1 },
      'constraint-unknown',
    ],
    ['text no JSON can say, for text', { a: { equals: 'a' } }, { a: '\ud800' }, 'constraint-failed'],
    ['text no JSON can say, for a list', { a: { equals: ['a'] } }, { a: '\ud800' }, 'constraint-failed'],
    ['text for a number', { a: { equals: 5 } }, { a: '5' }, 'constraint-failed'],
    ['a number for text', { a: { equals: '5' } }, { a: 5 }, 'constraint-failed'],
    ['a list for a scalar', { a: { equals: 'x' } }, { a: ['x'] }, 'constraint-failed'],
    ['a scalar for a list', { a: { equals: ['x'] } }, { a: 'x' }, 'constraint-failed'],
    ['an object for a list', { a: { equals: ['x'] } }, { a: { 0: 'x' } }, 'constraint-failed'],
    ['true for 1', { a: { equals: 1 } }, { a: true }, 'constraint-failed'],
    ['null for nothing', { a: { equals: '', optional: true } }, { a: null }, 'constraint-failed'],
    ['an object with one member more', { a: { equals: { x: 1 } } }, { a: { x: 1, y: 2 } }, 'constraint-failed'],
    ['another case', { a: { one_of: ['EUR', 'USD'] } }, { a: 'eur' }, 'constraint-failed'],
    ['a text that holds a choice', { a: { one_of: ['EUR', 'USD'] } }, { a: 'EUR,USD' }, 'constraint-failed'],
    ['a list of choices', { a: { one_of: ['EUR', 'USD'] } }, { a: ['EUR'] }, 'constraint-failed'],
    ['another prefix', { a: { prefix: 'docs/' } }, { a: 'doc/s' }, 'constraint-failed'],
    ['a way up', { a: { prefix: 'docs/' } }, { a: 'docs/../secret' }, 'constraint-failed'],
    ['a way up at the end', { a: { prefix: 'docs/' } }, { a: 'docs/..' }, 'constraint-failed'],
    ['a way up with a backslash', { a: { prefix: 'docs/' } }, { a: 'docs/..\\secret' }, 'constraint-failed'],
    ['an encoded way up', { a: { prefix: 'docs/' } }, { a: 'docs/%2E%2e/secret' }, 'constraint-failed'],
    ['a cut name', { a: { prefix: 'docs/' } }, { a: 'docs/a\u0000.txt' }, 'constraint-failed'],
    ['a prefix of a list', { a: { prefix: 'docs/' } }, { a: ['docs/a'] }, 'constraint-failed'],
  ])('refuses %s', (...[, constraints, parameters, reason]) => {
    expect(satisfies(as(constraints), parameters)).toMatchObject({ ok: false, reason })
  })

  test.each<[string, object, JsonObject]>([
    ['nothing where nothing is named', {}, {}],
    ['an optional one that is missing', { a: { equals: 1, optional: true } }, {}],
    ['members in another order', { a: { equals: { x: 1, y: [2] } } }, { a: { y: [2], x: 1 } }],
    ['the first of two choices', { a: { one_of: ['x', 'y'] } }, { a: 'x' }],
    ['the last of two choices', { a: { one_of: ['x', 'y'] } }, { a: 'y' }],
    ['what has only an upper end', { a: { max: '5' } }, { a: '-7' }],
    ['what has only a lower end', { a: { min: '5' } }, { a: '7' }],
    ['any value, null too', { a: { any: true } }, { a: null }],
    ['a path below a prefix', { a: { prefix: 'docs/' } }, { a: 'docs/a..b/.c' }],
    ['the prefix itself', { a: { prefix: 'docs/' } }, { a: 'docs/' }],
  ])('lets pass %s', (_name, constraints, parameters) => {
    expect(satisfies(as(constraints), parameters)).toEqual({ ok: true, value: true })
  })

  test('never repeats a value', () => {
    const answer = satisfies(money, { amount: '4111111111111111', secret: 'hunter2' })
    expect(JSON.stringify(answer)).not.toMatch(/4111|hunter2/)
  })
})
