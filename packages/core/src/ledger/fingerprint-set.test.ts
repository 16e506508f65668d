import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FingerprintSet } from './fingerprint-set.ts'

const lane = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
const fingerprint = fc.record({ a: lane, b: lane }).filter(({ a, b }) => a !== 0 || b !== 0)

describe('FingerprintSet', () => {
  test('has what was added and nothing else, neighbours with one slot among them', () => {
    const outcome = fc.check(
      fc.property(fc.array(fingerprint, { size: 'max', maxLength: 300 }), (all) => {
        const set = new FingerprintSet()
        const known = new Set<string>()
        return all.every((each) => {
          const name = `${each.a} ${each.b}`
          const wasKnown = set.has(each) === known.has(name)
          if (!known.has(name)) set.add(each)
          known.add(name)
          return wasKnown && set.has(each) && set.size === known.size
        })
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('grows without losing any', () => {
    const set = new FingerprintSet()
    const all = Array.from({ length: 5000 }, (_, index) => ({ a: Math.imul(index, 0x9e3779b1), b: index + 1 }))
    for (const each of all) set.add(each)
    expect(all.every((each) => set.has(each))).toBe(true)
    expect(all.some(({ a, b }) => set.has({ a, b: -b }))).toBe(false)
  })
})
