import * as fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ledgerClock } from './ledger-clock.ts'

afterEach(() => vi.useRealTimers())

describe('ledgerClock()', () => {
  test('never goes back, whatever its source does', () => {
    const outcome = fc.check(
      fc.property(fc.array(fc.integer()), (times) => {
        const source = times.values()
        const clock = ledgerClock(() => source.next().value ?? 0)
        const read = times.map(() => clock())
        return read.every((time, index) => time === Math.max(...times.slice(0, index + 1)))
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, '5'])('throws where its source answers %s', (answer) => {
    const clock = ledgerClock(() => answer as number)
    expect(clock).toThrow(expect.objectContaining({ code: 'ledger-unavailable' }))
  })

  test('goes on counting where the clock of the system is set back, and follows it ahead', () => {
    vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date', 'performance'] })
    const clock = ledgerClock()
    const start = clock()
    expect(start).toBeCloseTo(1_700_000_000, 3)
    vi.setSystemTime(1_600_000_000_000)
    vi.advanceTimersByTime(60_000)
    expect(clock() - start).toBeCloseTo(60, 3)
    vi.setSystemTime(1_700_000_500_000)
    expect(clock() - start).toBeCloseTo(500, 3)
  })
})
