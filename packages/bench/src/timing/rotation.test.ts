import { describe, expect, test } from 'vitest'
import { rotation } from './rotation.ts'

describe('rotation()', () => {
  test('moves the start every second round and runs backwards in between', () => {
    const orders = [0, 1, 2, 3].map((round) => rotation(['a', 'b', 'c'], round).join(''))
    expect(orders).toEqual(['abc', 'cba', 'bca', 'acb'])
  })

  test('gives everyone every place equally often', () => {
    const places = new Map<string, number>()
    for (let round = 0; round < 6; round++) {
      rotation(['a', 'b', 'c'], round).forEach((name, place) => {
        places.set(name + place, (places.get(name + place) ?? 0) + 1)
      })
    }
    expect([...places.values()]).toEqual(Array.from({ length: 9 }, () => 2))
  })

  test('of nothing is nothing', () => expect(rotation([], 3)).toEqual([]))
})
