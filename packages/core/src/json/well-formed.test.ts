import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasOnlyPairs, isWellFormed } from './well-formed.ts'

test('hasOnlyPairs() answers as the engine does', () => {
  const units = fc.array(fc.constantFrom('a', 'é', '\ud83d', '\ude00', '😀'), { maxLength: 6 })
  fc.assert(
    fc.property(units, (pieces) => {
      const text = pieces.join('')
      expect(hasOnlyPairs(text)).toBe(!/\p{Surrogate}/u.test(text))
      expect(isWellFormed(text)).toBe(hasOnlyPairs(text))
    }),
  )
})
