import { describe, expect, test } from 'vitest'
import { OnceMarks } from './once-marks.ts'

const SKEW = 5

describe('OnceMarks', () => {
  test('takes a name once, for as long as anybody would accept it and the skew longer', () => {
    const marks = new OnceMarks(10, SKEW)
    expect([marks.take('a', 100, 0), marks.take('a', 100, 99), marks.take('b', 100, 0)]).toEqual([
      'first',
      'seen',
      'first',
    ])
    expect(marks.take('a', 1000, 104.9)).toBe('seen')
    expect(marks.take('a', 1000, 105)).toBe('first')
  })

  test.each([100, 99, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'takes what is over at %s for seen at 100: it could not be remembered',
    (until) => {
      const marks = new OnceMarks(10, SKEW)
      expect([marks.take('a', until, 100), marks.size]).toEqual(['seen', 0])
      expect(marks.bind({ assertion: 'a', jkt: 'k' }, { maxKeys: 9, until }, 100)).toMatchObject({
        ok: false,
        reason: 'token-expired',
      })
      expect(marks.size).toBe(0)
    },
  )

  test('is full rather than forgetful, and takes the next when something is over', () => {
    const marks = new OnceMarks(2, SKEW)
    expect(['a', 'b', 'c', 'a'].map((name) => marks.take(name, 100, 0))).toEqual(['first', 'first', 'full', 'seen'])
    expect([marks.take('c', 900, 104), marks.take('c', 900, 105), marks.size]).toEqual(['full', 'first', 1])
  })

  test('forgets a few with each call, and as many as it is told', () => {
    const marks = new OnceMarks(100, SKEW)
    for (let n = 0; n < 20; n += 1) marks.take(`m${n}`, 10, 0)
    marks.take('next', 100, 15)
    expect(marks.size).toBe(17)
    marks.bind({ assertion: 'next', jkt: 'k' }, { maxKeys: 1, until: 100 }, 15)
    expect(marks.size).toBe(14)
    marks.forget(15, 2)
    expect(marks.size).toBe(12)
    marks.forget(15, Number.POSITIVE_INFINITY)
    expect(marks.size).toBe(2)
    marks.forget(15, 5)
    expect(marks.size).toBe(2)
  })

  describe('bind()', () => {
    const bind = (marks: OnceMarks, jkt: string, { maxKeys = 2, until = 100, now = 0 } = {}) => {
      const bound = marks.bind({ assertion: 'a', jkt }, { maxKeys, until }, now)
      return bound.ok ? bound.value.keys : bound.reason
    }

    test('counts the keys of an assertion, each once, up to the most there may be', () => {
      const marks = new OnceMarks(10, SKEW)
      expect(['k1', 'k2', 'k1', 'k3', 'k2'].map((jkt) => bind(marks, jkt))).toEqual([1, 2, 2, 'too-many-keys', 2])
      expect(marks.size).toBe(3)
    })

    test.each([0, Number.NaN])('binds none where %s may be bound', (maxKeys) => {
      const marks = new OnceMarks(10, SKEW)
      expect([bind(marks, 'k', { maxKeys }), marks.size]).toEqual(['too-many-keys', 0])
    })

    test('keeps the keys of two assertions apart', () => {
      const marks = new OnceMarks(10, SKEW)
      const other = () => marks.bind({ assertion: 'b', jkt: 'k1' }, { maxKeys: 1, until: 100 }, 0)
      expect([bind(marks, 'k1'), bind(marks, 'k2'), other()]).toEqual([1, 2, { ok: true, value: { keys: 1 } }])
    })

    test('counts keys where an assertion was taken before, and takes none that has keys', () => {
      const marks = new OnceMarks(10, SKEW)
      marks.take('a', 100, 0)
      expect([bind(marks, 'k1'), bind(marks, 'k1'), marks.take('a', 100, 0), marks.size]).toEqual([1, 1, 'seen', 2])
    })

    test('is full rather than forgetful, and still knows what it has', () => {
      const marks = new OnceMarks(2, SKEW)
      expect([bind(marks, 'k1'), bind(marks, 'k2'), bind(marks, 'k1')]).toEqual([1, 'ledger-full', 1])
    })

    test('forgets an assertion with all its keys, the skew after its end', () => {
      const marks = new OnceMarks(10, SKEW)
      bind(marks, 'k1')
      bind(marks, 'k2')
      expect([bind(marks, 'k3', { until: 200, now: 104 }), marks.size]).toEqual(['too-many-keys', 3])
      expect([bind(marks, 'k3', { until: 200, now: 105 }), marks.size]).toEqual([1, 2])
    })

    test('remembers a little longer where the end is a little later', () => {
      const marks = new OnceMarks(10, SKEW)
      bind(marks, 'k1', { until: 100 })
      bind(marks, 'k2', { until: 103 })
      expect(bind(marks, 'k3', { until: 300, now: 107.9 })).toBe('too-many-keys')
      expect(bind(marks, 'k3', { until: 300, now: 108 })).toBe(1)
    })

    test('remembers for as long as the latest end it was told, never less', () => {
      const marks = new OnceMarks(10, SKEW)
      bind(marks, 'k1', { until: 100 })
      bind(marks, 'k2', { until: 200 })
      expect(bind(marks, 'k3', { until: 300, now: 150 })).toBe('too-many-keys')
      const shorter = new OnceMarks(10, SKEW)
      bind(shorter, 'k1', { until: 200 })
      bind(shorter, 'k2', { until: 100 })
      expect(bind(shorter, 'k3', { until: 300, now: 150 })).toBe('too-many-keys')
    })
  })
})
