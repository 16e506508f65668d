import { describe, expect, test } from 'vitest'
import { randomBelow } from './random-below.ts'

describe('randomBelow()', () => {
  test.each([1, 2, 3, 7, 1000, 2 ** 31, 2 ** 32])('stays within 0 and %d', (limit) => {
    const draws = Array.from({ length: 500 }, () => randomBelow(limit))
    expect(draws.filter((draw) => !Number.isSafeInteger(draw) || draw < 0 || draw >= limit)).toEqual([])
  })

  test('reaches every number', () => {
    expect(new Set(Array.from({ length: 1000 }, () => randomBelow(7))).size).toBe(7)
  })
})
