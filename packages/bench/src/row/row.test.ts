import { describe, expect, test } from 'vitest'
import type { Sample } from '../timing/work.ts'
import { rowOf } from './row.ts'
import type { RowAim } from './row-aim.ts'

const cost = (wall: number, cpu: number) => ({ wall, cpu })
const samples: readonly Sample[] = [
  { own: cost(130_000, 110_000), base: cost(100_000, 100_000) },
  { own: cost(260_000, 120_000), base: cost(200_000, 100_000) },
  { own: cost(130_000, 130_000), base: cost(100_000, 100_000) },
]
const aim = (more: Partial<RowAim>): RowAim => ({
  id: 'x',
  aim: 1.2,
  better: 'lower',
  measure: 'cpu',
  baseline: 'ES256 verify',
  work: 'one',
  ...more,
})

describe('rowOf()', () => {
  test('is the median of the paired ratios, with both ends', () => {
    expect(rowOf(aim({}), samples)).toMatchObject({ ratio: 1.2, min: 1.1, max: 1.3, rounds: 3, microseconds: 120 })
  })

  test('has the quietest rounds of both beside it', () => expect(rowOf(aim({}), samples).best).toBe(1.1))

  test('says what the other clock saw', () => expect(rowOf(aim({}), samples).otherRatio).toBe(1.3))

  test.each([
    [{ aim: 1.2 }, true],
    [{ aim: 1.19 }, false],
    [{ aim: 0.8, better: 'higher', measure: 'wall' }, false],
    [{ aim: 0.7, better: 'higher', measure: 'wall' }, true],
    [{ aim: null }, null],
  ] as const)('meets or misses the aim of %j: %s', (more, met) => expect(rowOf(aim(more), samples).met).toBe(met))
})
