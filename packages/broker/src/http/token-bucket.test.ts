import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

describe('TokenBucket', () => {
  test('TokenBucket gives its burst at once, then as fast as its rate', () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 100)
    for (let taken = 0; taken < 3; taken += 1) {
      expect(bucket.wait(100)).toBe(0)
      bucket.take(100)
    }
    expect(bucket.wait(100)).toBe(0.5)
    expect(bucket.wait(100.25)).toBe(0.25)
    expect(bucket.wait(100.5)).toBe(0)
  })

  test('TokenBucket never holds more than its burst, and owes nothing', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0)
    bucket.take(1000)
    for (let asked = 0; asked < 50; asked += 1) bucket.take(1000)
    expect(bucket.wait(1000)).toBe(1)
    expect(bucket.wait(1001)).toBe(0)
  })

  test('TokenBucket gets nothing from a clock that goes back', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 100)
    bucket.take(100)
    expect(bucket.wait(50)).toBe(1)
    expect(bucket.wait(100)).toBe(1)
  })

  test('TokenBucket never passes burst + rate x time, whenever it is asked', () => {
    const gaps = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), gaps, (perSecond, burst, all) => {
        const bucket = new TokenBucket({ perSecond, burst }, 0)
        let [now, passed] = [0, 0]
        for (const gap of all) {
          now += gap
          if (bucket.wait(now) > 0) continue
          bucket.take(now)
          passed += 1
        }
        expect(passed).toBeLessThanOrEqual(burst + perSecond * now + 1e-6)
      }),
    )
  })
})
