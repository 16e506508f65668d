import { describe, expect, test } from 'vitest'
import { FairMap } from './fair-map.ts'

const keysIn = (map: FairMap<number>, ...keys: string[]) => keys.filter((key) => map.get(key) !== undefined)
const filled = (max: number, ...keys: string[]): FairMap<number> => {
  const map = new FairMap<number>(max, (key) => key[0] ?? '')
  for (const [value, key] of keys.entries()) map.set(key, value)
  return map
}

describe('FairMap', () => {
  test.each([
    { what: 'everything while there is room', max: 4, set: ['a1', 'a2', 'b1', 'c1'], kept: ['a1', 'a2', 'b1', 'c1'] },
    { what: 'the newest', max: 4, set: ['a1', 'b1', 'c1', 'd1', 'e1'], kept: ['b1', 'c1', 'd1', 'e1'] },
    { what: 'no more than half for one owner', max: 4, set: ['b1', 'a1', 'a2', 'a3', 'a4'], kept: ['b1', 'a3', 'a4'] },
    { what: 'what was set again for longer', max: 4, set: ['a1', 'a2', 'a1', 'a3'], kept: ['a1', 'a3'] },
    { what: 'one where there is room for one', max: 1, set: ['a1', 'a2'], kept: ['a2'] },
    { what: 'one of each of two owners', max: 2, set: ['a1', 'a2', 'b1', 'b2'], kept: ['a2', 'b2'] },
  ])('keeps $what', ({ max, set, kept }) => {
    const map = filled(max, ...set)
    expect(keysIn(map, ...new Set(set)).toSorted()).toEqual(kept.toSorted())
  })

  test('delete() makes room for another of that owner, once', () => {
    const map = filled(4, 'a1', 'a2')
    map.delete('a1')
    map.delete('a1')
    map.set('a3', 3)
    map.set('a4', 4)
    expect(keysIn(map, 'a1', 'a2', 'a3', 'a4')).toEqual(['a3', 'a4'])
    expect(map.get('a4')).toBe(4)
  })
})
