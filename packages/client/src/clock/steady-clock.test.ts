import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createSteadyClock } from './steady-clock.ts'

describe('createSteadyClock()', () => {
  test('createSteadyClock() follows the clock it is given, and does not go back with it', () => {
    let time = 1000
    const clock = createSteadyClock(() => time)
    const start = clock.steady()
    time += 10
    expect(clock.steady() - start).toBe(10)
    time -= 600
    expect(clock.steady() - start).toBe(10)
    time += 5
    expect(clock.steady() - start).toBe(15)
    expect(clock.wall()).toBe(415)
  })

  test('createSteadyClock() never decreases, and never shows less than what passed', () => {
    const moves = fc.array(fc.integer({ min: -10_000, max: 10_000 }), { maxLength: 50 })
    fc.assert(
      fc.property(moves, (steps) => {
        let time = 1_000_000
        const clock = createSteadyClock(() => time)
        const start = clock.steady()
        let passed = 0
        for (const step of steps) {
          const before = clock.steady()
          time += step
          passed += Math.max(step, 0)
          expect(clock.steady()).toBeGreaterThanOrEqual(before)
        }
        expect(clock.steady() - start).toBe(passed)
      }),
    )
  })

  test('createSteadyClock() takes the monotonic time of the platform, and jumps of its wall clock on top', () => {
    const monotonic = vi.spyOn(performance, 'now')
    const wall = vi.spyOn(Date, 'now')
    const at = (ms: number, wallMs: number) => {
      monotonic.mockReturnValue(ms)
      wall.mockReturnValue(wallMs)
    }
    at(0, 5_000_000)
    const clock = createSteadyClock()
    const start = clock.steady()
    at(10_000, 5_010_000)
    expect(clock.steady() - start).toBeCloseTo(10)
    at(11_000, 4_000_000) // turned back
    expect(clock.steady() - start).toBeCloseTo(11)
    at(12_000, 4_001_000)
    expect(clock.steady() - start).toBeCloseTo(12)
    at(12_100, 7_601_100) // woke up after an hour asleep
    expect(clock.steady() - start).toBeCloseTo(3612.1, 0)
    vi.restoreAllMocks()
  })

  test('createSteadyClock() does not run fast on rounding', () => {
    const monotonic = vi.spyOn(performance, 'now')
    const wall = vi.spyOn(Date, 'now')
    monotonic.mockReturnValue(0)
    wall.mockReturnValue(1_000_000)
    const clock = createSteadyClock()
    const start = clock.steady()
    for (let tenths = 1; tenths <= 100_000; tenths += 1) {
      monotonic.mockReturnValue(tenths / 10)
      wall.mockReturnValue(1_000_000 + Math.floor(tenths / 10))
      clock.steady()
    }
    expect(clock.steady() - start).toBeCloseTo(10)
    vi.restoreAllMocks()
  })
})
