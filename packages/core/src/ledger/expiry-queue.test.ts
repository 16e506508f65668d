import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Expiring } from './expiry-queue.ts'
import { ExpiryQueue } from './expiry-queue.ts'

const item = (): Expiring => ({ due: 0, slot: -1 })

describe('ExpiryQueue', () => {
  test('hands out in the order of the last schedule, each item once', () => {
    const schedules = fc.array(fc.tuple(fc.nat(15), fc.integer({ min: 0, max: 50 })), { maxLength: 80 })
    const outcome = fc.check(
      fc.property(schedules, (steps) => {
        const queue = new ExpiryQueue<Expiring>()
        const items = Array.from({ length: 16 }, item)
        const due = new Map<Expiring, number>()
        for (const [index, at] of steps) {
          const each = items[index] ?? item()
          queue.schedule(each, at)
          due.set(each, at)
        }
        const taken: Expiring[] = []
        for (let each = queue.takeDue(99); each !== undefined; each = queue.takeDue(99)) taken.push(each)
        const times = taken.map((each) => due.get(each) ?? -1)
        return (
          queue.size === 0 &&
          new Set(taken).size === due.size &&
          taken.length === due.size &&
          taken.every(({ slot }) => slot === -1) &&
          times.every((time, index) => index === 0 || (times[index - 1] ?? 0) <= time)
        )
      }),
    )
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })

  test('keeps what is not due, to the very second', () => {
    const queue = new ExpiryQueue<Expiring>()
    const [one, never] = [item(), item()]
    queue.schedule(never, Number.POSITIVE_INFINITY)
    queue.schedule(one, 10)
    expect([queue.takeDue(9.999), queue.nextDue()]).toEqual([undefined, 10])
    expect(queue.takeDue(10)).toBe(one)
    expect([queue.takeDue(1e12), queue.size]).toEqual([undefined, 1])
  })

  test('takes an item again that it handed out', () => {
    const queue = new ExpiryQueue<Expiring>()
    const one = item()
    queue.schedule(one, 1)
    queue.takeDue(1)
    queue.schedule(one, 2)
    expect(queue.takeDue(2)).toBe(one)
  })
})
