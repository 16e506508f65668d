import { describe, expect, test } from 'vitest'
import { interleave } from './interleave.ts'
import type { Pace } from './interleave.ts'
import { createStopwatch } from './stopwatch.ts'
import type { Work } from './work.ts'

const PACE: Pace = { rounds: 6, slice: 60, baselineSlice: 20, warmUp: 100 }

/** A machine whose clocks only move when work is done on it, at a speed that drifts. */
function machine() {
  let time = 0
  let slices = 0
  const log: string[] = []
  const clock = () => time
  const work = (name: string, milliseconds: number): Work => ({
    run(operations) {
      slices += 1
      log.push(name)
      // Slow for a while, fast for a while; never twice the same within one round.
      time += operations * milliseconds * (1 + (slices % 97) / 97)
    },
  })
  return { clocks: { wall: clock, cpu: clock }, work, log }
}

describe('interleave()', () => {
  test('puts every slice between two slices of its baseline', async () => {
    const { clocks, work, log } = machine()
    const baseline = work('base', 0.1)
    const contenders = ['a', 'b'].map((id) => ({ id, work: work(id, 0.2), baseline }))
    await interleave(contenders, PACE, createStopwatch(clocks))
    const rounds = log.slice(log.findLastIndex((name, index) => name === log[index - 1] && name !== 'base') + 1)
    expect(rounds.join(' ')).toMatch(/^(base (a base b|b base a) base ?){6}$/)
  })

  test('finds the true ratio on a machine whose speed drifts', async () => {
    const { clocks, work } = machine()
    const contenders = [{ id: 'twice', work: work('twice', 0.2), baseline: work('base', 0.1) }]
    const samples = (await interleave(contenders, PACE, createStopwatch(clocks))).get('twice') ?? []
    expect(samples).toHaveLength(6)
    for (const { own, base } of samples) expect(own.wall / base.wall).toBeCloseTo(2, 1)
  })

  test('keeps two baselines apart', async () => {
    const { clocks, work } = machine()
    const contenders = [
      { id: 'a', work: work('a', 0.3), baseline: work('base-a', 0.1) },
      { id: 'b', work: work('b', 0.3), baseline: work('base-b', 0.3) },
    ]
    const samples = await interleave(contenders, PACE, createStopwatch(clocks))
    for (const { own, base } of samples.get('a') ?? []) expect(own.wall / base.wall).toBeCloseTo(3, 0)
    for (const { own, base } of samples.get('b') ?? []) expect(own.wall / base.wall).toBeCloseTo(1, 0)
  })
})
