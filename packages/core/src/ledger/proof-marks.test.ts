import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProofMarks } from './proof-marks.ts'

const marker = (marks: ProofMarks) => (proof: string, now: number) => marks.mark(marks.holder('key'), proof, now)

describe('ProofMarks', () => {
  test('remembers every proof for a generation and none for more than two', () => {
    const steps = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 0, max: 8 })), { size: 'max', maxLength: 60 })
    const outcome = fc.check(
      fc.property(steps, (all) => {
        const marks = new ProofMarks(10, 1000)
        const mark = marker(marks)
        const seen = new Map<number, number>()
        let now = 0
        return all.every(([proof, wait]) => {
          now += wait
          const age = now - (seen.get(proof) ?? Number.NEGATIVE_INFINITY)
          const answer = mark(`p${proof}`, now)
          if (answer === 'first') seen.set(proof, now)
          return answer === 'first' ? age >= 10 : age < 20 && answer === 'seen'
        })
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('knows the attempt that showed a proof without a use, for as long as the proof', () => {
    const marks = new ProofMarks(10, 10)
    const proof = { jkt: 'key', jti: 'p' }
    expect(marker(marks)('p', 0)).toBe('first')
    expect(marks.isOwn(proof, 'a')).toBe(false)
    marks.keepAttempt(proof, 'a')
    const own = (now: number) => [marker(marks)('p', now), marks.isOwn(proof, 'a'), marks.isOwn(proof, 'b')]
    expect([own(0), own(19)]).toEqual([
      ['seen', true, false],
      ['seen', true, false],
    ])
    marks.forget(20)
    expect(marks.isOwn(proof, 'a')).toBe(false)
  })

  test('keeps proofs of two keys apart', () => {
    const marks = new ProofMarks(10, 10)
    expect(['key', 'other', 'key'].map((key) => marks.mark(marks.holder(key), 'p', 0))).toEqual([
      'first',
      'first',
      'seen',
    ])
  })

  test('is full rather than forgetful', () => {
    const marks = new ProofMarks(10, 3)
    const mark = marker(marks)
    expect(['a', 'b', 'c', 'd'].map((proof) => mark(proof, 0))).toEqual(['first', 'first', 'first', 'full'])
    expect([mark('d', 10), mark('a', 19)]).toEqual(['full', 'seen'])
    expect([mark('d', 20), marks.size]).toEqual(['first', 1])
  })
})
