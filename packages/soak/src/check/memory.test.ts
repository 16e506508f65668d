import { expect, test } from 'vitest'
import { checkGrowth, growthOf } from './memory.ts'

const MIB = 2 ** 20
const samples = (seconds: number, heapOf: (share: number) => number) =>
  Array.from({ length: 40 }, (_, n) => ({ at: (n * seconds * 1000) / 39, rss: 100 * MIB, heap: heapOf(n / 39) }))

test.each([
  { name: 'flat', seconds: 600, heapOf: () => 50 * MIB, rules: [] },
  { name: 'warming up', seconds: 60, heapOf: (share: number) => share * 500 * MIB, rules: [] },
  { name: 'growing', seconds: 600, heapOf: (share: number) => share * 500 * MIB, rules: ['memory is bounded'] },
])('checkGrowth() of a process that is $name: $rules', ({ name, seconds, heapOf, rules }) => {
  const growth = growthOf(name, samples(seconds, heapOf))
  expect(checkGrowth(growth === undefined ? [] : [growth]).map(({ rule }) => rule)).toEqual(rules)
  expect(growth?.seconds).toBe(seconds)
})

test('growthOf() says nothing of a process that hardly lived', () => {
  expect(growthOf('short', samples(1, () => 1).slice(0, 3))).toBeUndefined()
})
