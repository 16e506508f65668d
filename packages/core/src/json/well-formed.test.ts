import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasOnlyPairs, isWellFormed } from './well-formed.ts'

describe('hasOnlyPairs()', () => {
  test.each(['', 'a', 'é', '\ud7ff', '\ue000', '\uffff', '\ud800\udc00', '\udbff\udfff', 'a😀b😀😀'])(
    'takes %j',
    (text) => {
      expect([hasOnlyPairs(text), isWellFormed(text)]).toEqual([true, true])
    },
  )

  test.each([
    '\ud800',
    '\udbff',
    '\udc00',
    '\udfff',
    'a\ud83d',
    '\ud83da',
    '\udfffa',
    '\ud800\udbff',
    '\udbff\ue000',
    '\udc00\udc00',
    '\ude00\ud83d',
    '\ud83d😀',
    '😀\ude00',
  ])('refuses %j', (text) => {
    expect([hasOnlyPairs(text), isWellFormed(text)]).toEqual([false, false])
  })

  test('answers as the engine does', () => {
    const units = fc.array(fc.constantFrom('a', 'é', '\ud83d', '\ude00', '😀'), { maxLength: 6 })
    fc.assert(
      fc.property(units, (pieces) => {
        const text = pieces.join('')
        expect(hasOnlyPairs(text)).toBe(!/\p{Surrogate}/u.test(text))
        expect(isWellFormed(text)).toBe(hasOnlyPairs(text))
      }),
    )
  })
})
