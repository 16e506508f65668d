import { describe, expect, test } from 'vitest'
import { median, pairedRatios, quietest, quietRatio, spread } from './statistics.ts'
import type { Sample } from './work.ts'

const sample = (own: number, base: number): Sample => ({
  own: { wall: own * 3, cpu: own },
  base: { wall: base, cpu: base },
})

describe('median()', () => {
  test.each([
    [[5], 5],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[1, 1, 1000], 1],
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected))

  test('leaves its input as it was', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  test('of nothing is an error, not a number', () => expect(() => median([])).toThrow(RangeError))
})

describe('pairedRatios()', () => {
  test('compares each round with its own baseline, so that a machine at half speed changes nothing', () => {
    const samples = [sample(12, 10), sample(24, 20), sample(12, 10)]
    expect(pairedRatios(samples, 'cpu', 'lower')).toEqual([1.2, 1.2, 1.2])
  })

  test('turns round for throughput', () => expect(pairedRatios([sample(5, 10)], 'cpu', 'higher')).toEqual([2]))

  test('takes the clock it is told', () => expect(pairedRatios([sample(4, 4)], 'wall', 'lower')).toEqual([3]))

  test.each([
    [0, 1],
    [1, 0],
    [-1, 1],
    [Number.NaN, 1],
  ])('refuses the timing %d against %d', (own, base) =>
    expect(() => pairedRatios([sample(own, base)], 'cpu', 'lower')).toThrow(RangeError),
  )
})

describe('quietest()', () => {
  test.each([
    [[5], 5],
    [[9, 7, 8], 7],
    [Array.from({ length: 60 }, (_, index) => 60 - index), 6],
  ])('of %j is %d', (values, expected) => expect(quietest(values)).toBe(expected))

  test('of nothing is an error, not a number', () => expect(() => quietest([])).toThrow(RangeError))
})

describe('quietRatio()', () => {
  const samples = [sample(30, 10), sample(12, 30), sample(18, 20)]

  test('holds the least disturbed work against the least disturbed baseline, whichever rounds they are of', () =>
    expect(quietRatio(samples, 'cpu', 'lower')).toBeCloseTo(1.2))

  test('turns round for throughput', () => expect(quietRatio(samples, 'cpu', 'higher')).toBeCloseTo(10 / 12))
})

test('spread() has the middle and both ends', () => expect(spread([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9 }))
