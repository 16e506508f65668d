import { array, assert, integer, oneof, property, record, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Attempts, ELSEWHERE, NEVER, UNKNOWN, doneWith, statusOf } from './attempts.ts'

const int32 = integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
/** Few of them, so that they come again and get into each other's way. */
const mark = oneof(
  record({ a: integer({ min: 0, max: 6 }), b: integer({ min: 1, max: 3 }) }),
  record({ a: int32, b: int32 }).filter(({ a, b }) => a !== 0 || b !== 0),
)
const nameOf = ({ a, b }: { a: number; b: number }): string => `${a} ${b}`

describe('Attempts', () => {
  test('is a map of what became of each', () =>
    assert(
      property(array(tuple(mark, integer({ min: -1999, max: 2 ** 24 })), { maxLength: 200 }), (steps) => {
        const attempts = new Attempts()
        const model = new Map<string, number>()
        for (const [one, what] of steps) {
          expect(attempts.get(one)).toBe(model.get(nameOf(one)) ?? NEVER)
          attempts.set(one, what)
          model.set(nameOf(one), what)
          expect(attempts.size).toBe(model.size)
        }
        for (const [one] of steps) expect(attempts.get(one)).toBe(model.get(nameOf(one)))
      }),
    ))

  test('has none at first', () => expect(new Attempts().get({ a: 1, b: 2 })).toBe(NEVER))
})

describe('doneWith() and statusOf()', () => {
  test('give back every status there is', () => {
    for (let status = 0; status < 1000; status += 1) expect(statusOf(doneWith(status) ?? 0)).toBe(status)
  })

  test.each([1000, -1, 200.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('has no number for %s', (status) =>
    expect(doneWith(status)).toBeUndefined(),
  )

  test.each([NEVER, UNKNOWN, ELSEWHERE, 0, 200])('takes %s for no status', (what) =>
    expect(statusOf(what)).toBeUndefined(),
  )
})
