import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonText, numberText, quoted, quotedName } from './json-text.ts'

const frozen = <T extends object>(value: T): T => Object.freeze(value)

describe('quoted(), quotedName()', () => {
  const text = fc.string({
    unit: fc.constantFrom(
      'a',
      '"',
      '\\',
      '\u0000',
      '\n',
      '\u001f',
      ' ',
      '\u007f',
      '\u2028',
      '\ud7ff',
      '\ud800',
      '\udfff',
      '\ue000',
      '\u{1f600}',
    ),
    maxLength: 200,
  })

  test.each([
    ['quoted', quoted],
    ['quotedName', quotedName],
  ])('%s writes every text as JSON.stringify does', (_name, write) => {
    const outcome = fc.check(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary', maxLength: 300 })), (given) => {
        return write(given) === JSON.stringify(given) && write(given) === JSON.stringify(given)
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test.each(Array.from({ length: 300 }, (_, code) => [code]))('write character %d as JSON.stringify does', (code) => {
    const given = `a${String.fromCharCode(code)}`
    expect([quoted(given), quoted(given.repeat(60))]).toEqual([JSON.stringify(given), JSON.stringify(given.repeat(60))])
  })

  test('quotedName forgets rather than growing without end', () => {
    for (let name = 0; name < 5000; name++) expect(quotedName(`agent-${name}`)).toBe(`"agent-${name}"`)
    expect(quotedName('agent-1')).toBe('"agent-1"')
  })
})

describe('jsonText()', () => {
  test.each([
    ['text', 'a "word"'],
    ['a number', 1.5],
    ['null', null],
    ['nothing', undefined],
    ['an object', { b: 1, a: [true, null] }],
    ['frozen data', frozen({ b: 1, a: frozen([frozen({ c: 'x' })]) })],
  ])('writes %s as JSON.stringify does, each time', (_name, value) => {
    expect([jsonText(value), jsonText(value)]).toEqual([JSON.stringify(value), JSON.stringify(value)])
  })

  test.each([
    ['a member of a frozen object', () => ({ inner: { n: 1 } }), (value: { inner: { n: number } }) => value.inner],
    ['what is not frozen', () => ({ inner: { n: 1 } }), (value: { inner: { n: number } }) => value.inner],
  ])('sees a change to %s', (_name, make, inner) => {
    const value = make()
    Object.freeze(value)
    expect(jsonText(value)).toBe('{"inner":{"n":1}}')
    inner(value).n = 2
    expect(jsonText(value)).toBe('{"inner":{"n":2}}')
  })

  test('keeps nothing of what computes itself', () => {
    let reads = 0
    const getter = frozen({
      get n() {
        return (reads += 1)
      },
    })
    expect([jsonText(getter), jsonText(getter)]).toEqual(['{"n":1}', '{"n":2}'])
    const own = frozen({ toJSON: () => (reads += 1) })
    expect([jsonText(own), jsonText(own)]).toEqual(['3', '4'])
    class Money {
      toJSON(): number {
        return (reads += 1)
      }
    }
    const inner = frozen({ price: frozen(new Money()) })
    expect([jsonText(inner), jsonText(inner)]).toEqual(['{"price":5}', '{"price":6}'])
  })
})

describe('numberText()', () => {
  test('writes any finite number as JSON does', () => {
    const time = fc.integer({ min: 0, max: 4e12 }).map((milliseconds) => milliseconds / 1000)
    const number = fc.oneof(
      time,
      time.map((seconds) => seconds + 1e-5),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(number, (value) => {
        expect(numberText(value)).toBe(JSON.stringify(value))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    1e9,
    1e9 + 0.001,
    1e9 + 0.999,
    1e9 + 0.1,
    1e9 + 0.12,
    2 ** 40,
    2 ** 40 - 0.001,
    999_999_999.999,
    -1e9,
    1e21,
  ])('writes %s as JSON does', (value) => expect(numberText(value)).toBe(JSON.stringify(value)))
})
