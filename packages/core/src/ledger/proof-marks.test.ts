import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProofMarks } from './proof-marks.ts'

describe('ProofMarks', () => {
  test('remembers every proof for a generation and none for more than two', () => {
    const steps = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 0, max: 8 })), { size: 'max', maxLength: 60 })
    const outcome = fc.check(
      fc.property(steps, (all) => {
        const marks = new ProofMarks(10, 1000)
        const seen = new Map<number, number>()
        let now = 0
        return all.every(([proof, wait], attempt) => {
          now += wait
          const age = now - (seen.get(proof) ?? Number.NEGATIVE_INFINITY)
          const answer = marks.mark(`p${proof}`, `a${attempt}`, now)
          if (answer === 'first') seen.set(proof, now)
          return answer === 'first' ? age >= 10 : age < 20 && answer === 'seen'
        })
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('is no replay when the same attempt is sent again', () => {
    const marks = new ProofMarks(10, 10)
    expect(['a', 'a', 'b'].map((attempt) => marks.mark('p', attempt, 0))).toEqual(['first', 'first', 'seen'])
  })

  test('is full rather than forgetful', () => {
    const marks = new ProofMarks(10, 3)
    const mark = (proof: string, now: number) => marks.mark(proof, proof, now)
    expect(['a', 'b', 'c', 'd'].map((proof) => mark(proof, 0))).toEqual(['first', 'first', 'first', 'full'])
    expect([mark('d', 10), marks.mark('a', 'other', 19)]).toEqual(['full', 'seen'])
    expect([mark('d', 20), marks.size]).toEqual(['first', 1])
  })
})
