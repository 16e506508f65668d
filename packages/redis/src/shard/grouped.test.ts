import { describe, expect, it } from 'vitest'
import { Grouped } from './grouped.ts'

describe('Grouped', () => {
  it.each([
    ['no list', 'OK'],
    ['a shorter list', ['F 1']],
    ['something else for one of them', ['F 1', 7]],
  ])('fails everybody where the server answers %s', async (_what, answer) => {
    const grouped = new Grouped(async () => answer)
    const asked = await Promise.allSettled([grouped.ask('one'), grouped.ask('two')])
    expect(asked.map((each) => (each.status === 'rejected' ? each.reason.code : each.value))).toEqual([
      'ledger-unavailable',
      'ledger-unavailable',
    ])
  })
})
