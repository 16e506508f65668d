import { expect, test } from 'vitest'
import { quantile } from './quantile.ts'

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

test.each([
  [hundred, 0.5, 50],
  [hundred, 0.99, 99],
  [hundred, 1, 100],
  [[7], 0.5, 7],
])('quantile() of %#', (values, share, expected) => expect(quantile(values, share)).toBe(expected))

test('quantile() throws without a value', () => expect(() => quantile([], 0.5)).toThrow(RangeError))
