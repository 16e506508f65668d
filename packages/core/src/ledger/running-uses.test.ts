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
    running.add(second)
    expect([running.size, second.place, running.get(first.reservation)]).toEqual([1, first.place, undefined])
    running.delete(first)
    expect(running.get(second.reservation)).toBe(second)
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
