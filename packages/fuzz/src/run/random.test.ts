import { expect, test } from 'vitest'
import { Random } from './random.ts'

const draw = (random: Random) => Array.from({ length: 50 }, () => random.below(1000))

test('Random gives the same for the same seed, and something else for another', () => {
  expect(draw(new Random(1, 'grant', 7))).toEqual(draw(new Random(1, 'grant', 7)))
  expect(draw(new Random(1, 'grant', 7))).not.toEqual(draw(new Random(1, 'grant', 8)))
  expect(draw(new Random(1, 'grant', 7))).not.toEqual(draw(new Random(2, 'grant', 7)))
})

test('Random.below() reaches every number and no other', () => {
  const random = new Random(1)
  const drawn = new Set(Array.from({ length: 1000 }, () => random.below(7)))
  expect([...drawn].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6])
})
