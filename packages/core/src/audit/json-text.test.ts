import { describe, expect, test } from 'vitest'
import { jsonText } from './json-text.ts'

const frozen = <T extends object>(value: T): T => Object.freeze(value)

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
