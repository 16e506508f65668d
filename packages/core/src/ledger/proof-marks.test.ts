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

  test.each<{ name: string; at: number; answer: string }>([
    { name: 'to the end of its generation', at: 9.9, answer: 'seen' },
    { name: 'to the end of the next', at: 19.9, answer: 'seen' },
    { name: 'no longer', at: 20, answer: 'first' },
    { name: 'no longer, though nobody asked in between', at: 1000, answer: 'first' },
  ])('remembers a proof $name', ({ at, answer }) => {
    const mark = marker(new ProofMarks(10, 10))
    expect([mark('p', 0), mark('p', at)]).toEqual(['first', answer])
  })

  test('begins a whole generation where one ended unseen', () => {
    const mark = marker(new ProofMarks(10, 10))
    expect([mark('p', 0), mark('q', 20), mark('r', 20), mark('q', 30), mark('q', 39.9)]).toEqual([
      'first',
      'first',
      'first',
      'seen',
      'seen',
    ])
  })

  test('counts what it keeps of attempts, and keeps none where it is full', () => {
    const marks = new ProofMarks(10, 2)
    const mark = marker(marks)
    const own = { jkt: 'key', jti: 'p' }
    mark('p', 0)
    marks.keepAttempt(own, 'a')
    expect([marks.size, mark('q', 0)]).toEqual([2, 'full'])
    const full = new ProofMarks(10, 1)
    marker(full)('p', 0)
    full.keepAttempt(own, 'a')
    expect([full.size, full.isOwn(own, 'a')]).toEqual([1, false])
  })

  test('knows an attempt only by the very proof it showed', () => {
    const marks = new ProofMarks(10, 10)
    marks.keepAttempt({ jkt: 'key', jti: 'p' }, 'a')
    const shown = [
      { jkt: 'key', jti: 'p' },
      { jkt: 'key', jti: 'q' },
      { jkt: 'other', jti: 'p' },
    ]
    expect(shown.map((proof) => marks.isOwn(proof, 'a'))).toEqual([true, false, false])
  })
})
