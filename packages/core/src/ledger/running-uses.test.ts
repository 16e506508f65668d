import { describe, expect, test } from 'vitest'
import { RunningUses } from './running-uses.ts'
import type { Use } from './use.ts'

const use = () => ({ reservation: '', place: -1 }) as Use

describe('RunningUses', () => {
  test('finds each by the reservation it gave', () => {
    const running = new RunningUses()
    const uses = Array.from({ length: 5000 }, use)
    for (const each of uses) running.add(each)
    expect(running.size).toBe(5000)
    expect(uses.every((each) => running.get(each.reservation) === each)).toBe(true)
    // As text of its own, as it comes over the wire.
    expect(uses.every((each) => running.get(Buffer.from(each.reservation).toString()) === each)).toBe(true)
  })

  test('gives a place to another use under another reservation', () => {
    const running = new RunningUses()
    const [first, second] = [use(), use()]
    running.add(first)
    running.delete(first)
    running.delete(first)
    for (let lap = 1; lap < 64; lap += 1) {
      const other = use()
      running.add(other)
      running.delete(other)
    }
    running.add(second)
    // 64 places: the second is where the first was.
    expect([running.size, second.place - first.place]).toEqual([1, 64])
    expect([running.get(first.reservation), running.at(first.place)]).toEqual([undefined, undefined])
    running.delete(first)
    expect([running.get(second.reservation), running.at(second.place)]).toEqual([second, second])
  })

  test('goes around those that run for long', () => {
    const running = new RunningUses()
    const long = Array.from({ length: 31 }, use)
    for (const each of long) running.add(each)
    for (let lap = 0; lap < 2000; lap += 1) {
      const short = use()
      running.add(short)
      expect(running.get(short.reservation)).toBe(short)
      running.delete(short)
    }
    expect(running.size).toBe(31)
    expect(long.every((each) => running.get(each.reservation) === each)).toBe(true)
  })

  test.each([
    ['nothing', ''],
    ['a place that is no number', `res_AA!A${'A'.repeat(20)}`],
    ['characters beyond the table', `res_AA\u{20ac}A${'A'.repeat(20)}`],
    ['a place that nobody has', `res_____${'A'.repeat(20)}`],
    ['the right place only', `res_AAAA${'A'.repeat(20)}`],
    ['another length', `res_${'A'.repeat(30)}`],
  ])('finds nothing for %s', (_name, reservation) => {
    const running = new RunningUses()
    running.add(use())
    expect(running.get(reservation)).toBeUndefined()
  })
})
