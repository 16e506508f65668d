import { describe, expect, test } from 'vitest'
import { LeaseList } from './lease-list.ts'
import type { Use } from './use.ts'

const use = (leaseEnd: number, state: Use['state'] = 'running') => ({ leaseEnd, state, next: undefined }) as Use

describe('LeaseList', () => {
  test('hands out what is over, oldest first, and waits behind what still runs', () => {
    const list = new LeaseList()
    const [one, two, three] = [use(10), use(11, 'done'), use(12)]
    for (const each of [one, two, three]) list.add(each)
    expect(list.takeOver(9)).toBeUndefined()
    expect([list.takeOver(10), list.takeOver(10), list.takeOver(10)]).toEqual([one, two, undefined])
    expect([list.takeOver(12), list.takeOver(12)]).toEqual([three, undefined])
  })

  test('starts again after it was empty', () => {
    const list = new LeaseList()
    list.add(use(10))
    list.takeOver(10)
    const next = use(20)
    list.add(next)
    expect(list.takeOver(20)).toBe(next)
  })

  test('lets go of a use: one that is remembered keeps no later one alive', () => {
    const list = new LeaseList()
    const [one, two] = [use(10), use(11)]
    list.add(one)
    list.add(two)
    expect(list.takeOver(10)?.next).toBeUndefined()
  })
})
