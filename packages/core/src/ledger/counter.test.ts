import { describe, expect, test } from 'vitest'
import type { Limit } from '../grant/entry.ts'
import { Counter } from './counter.ts'

const calls: Limit = { id: 'calls', per: 'grant', max: 5 }
const hour: Limit = { id: 'hour', per: 'agent', max: 5, window_seconds: 3600 }
const sum: Limit = { id: 'sum', per: 'task', max: 900, parameter: 'amount', scale: 2, unit: 'EUR' }

describe('Counter', () => {
  test('counts for life where there is no window', () => {
    const counter = new Counter(calls)
    counter.add(3, 0)
    counter.add(2, 1e9)
    counter.subtract(1, 0, 2e9)
    expect(counter.spent(3e9)).toBe(4)
  })

  test('starts anew in each fixed window', () => {
    const counter = new Counter(hour)
    counter.add(3, 3599.9)
    expect(counter.spent(3599.9)).toBe(3)
    expect(counter.spent(3600)).toBe(0)
    counter.add(1, 3601)
    counter.add(1, 7199)
    expect([counter.spent(7199.5), counter.spent(7200)]).toEqual([2, 0])
  })

  test('adds to a window that nobody looked at before', () => {
    const counter = new Counter(hour)
    counter.add(2, 10)
    counter.add(1, 3600)
    expect(counter.spent(3600)).toBe(1)
  })

  test.each<{ name: string; chargedAt: number; now: number; left: number }>([
    { name: 'in its window', chargedAt: 10, now: 3599, left: 1 },
    { name: 'after its window', chargedAt: 10, now: 3600, left: 0 },
    { name: 'two windows later', chargedAt: 10, now: 7200, left: 0 },
  ])('gives back what was charged $name', ({ chargedAt, now, left }) => {
    const counter = new Counter(hour)
    counter.add(2, chargedAt)
    counter.subtract(1, chargedAt, now)
    expect(counter.spent(now)).toBe(left)
  })

  test('gives the next window nothing of what the last was charged', () => {
    const counter = new Counter(hour)
    counter.add(2, 10)
    counter.add(2, 3601)
    counter.subtract(2, 10, 3602)
    expect(counter.spent(3602)).toBe(2)
  })

  test('is idle where nothing is charged, or no longer', () => {
    const counter = new Counter(hour)
    expect(counter.idle(0)).toBe(true)
    counter.add(1, 0)
    expect([counter.idle(3599), counter.idle(3600)]).toEqual([false, true])
  })

  test.each<[string, Limit, boolean]>([
    ['the same', sum, true],
    ['another cap', { ...sum, max: 1 }, true],
    ['another parameter', { ...sum, parameter: 'tip' }, false],
    ['another scale', { ...sum, scale: 3 }, false],
    ['another unit', { ...sum, unit: 'USD' }, false],
    ['no unit', { id: 'sum', per: 'task', max: 900, parameter: 'amount', scale: 2 }, false],
    ['calls', calls, false],
  ])('counts %s: %s', (_name, limit, same) => {
    expect(new Counter(sum).counts(limit)).toBe(same)
  })

  test('counts calls, and whole amounts whether they say scale 0 or nothing', () => {
    expect(new Counter(calls).counts({ ...calls, id: 'other' })).toBe(true)
    const whole: Limit = { id: 'n', per: 'task', max: 9, parameter: 'n' }
    expect(new Counter(whole).counts({ ...whole, scale: 0 })).toBe(true)
    expect(new Counter({ ...whole, scale: 0 }).counts(whole)).toBe(true)
  })
})
