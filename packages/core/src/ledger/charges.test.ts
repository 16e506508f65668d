import { describe, expect, test } from 'vitest'
import type { Limit } from '../grant/entry.ts'
import type { Amounts } from './charges.ts'
import { Charges } from './charges.ts'
import { Counter } from './counter.ts'

const calls: Limit = { id: 'calls', per: 'grant', max: 3 }
const sum: Limit = { id: 'sum', per: 'task', max: 100, parameter: 'amount', scale: 2 }
const hour: Limit = { id: 'hour', per: 'agent', max: 2, window_seconds: 3600 }
const MOST = Number.MAX_SAFE_INTEGER

function chargesOf(...limits: Limit[]) {
  const all = limits.map((limit) => ({ limit, counter: new Counter(limit) }))
  const charges = new Charges(all)
  /** Charges what fits, as a redeem does. */
  const use = (amounts: Amounts = {}, uses = 1, now = 0) => {
    const unfit = charges.whyUnfit(amounts, uses, now)
    return unfit === undefined ? { units: charges.charge(amounts, uses, now) } : [unfit.reason, unfit.limit]
  }
  const spent = (now = 0) => all.map(({ counter }) => counter.spent(now))
  return { charges, use, spent }
}

describe('Charges', () => {
  test.each<{ name: string; limits: Limit[] }>([
    { name: 'alone', limits: [calls] },
    { name: 'first of two', limits: [calls, { ...sum, max: 999 }] },
    { name: 'last of two', limits: [{ ...sum, max: 999 }, calls] },
  ])("caps the grant's own calls, $name", ({ limits }) => {
    const { charges, use } = chargesOf(...limits)
    const amounts = { amount: 1 }
    expect([0, 1, 2].map(() => (use(amounts), charges.callsLeft(0)))).toEqual([2, 1, 0])
    expect(use(amounts)).toEqual(['grant-exhausted', 'calls'])
    expect(charges.callsLeft(0)).toBe(0)
  })

  test('takes several uses at once exactly up to the cap', () => {
    for (const limits of [[calls], [calls, { ...sum, max: 999 }]]) {
      const { use, charges } = chargesOf(...limits)
      expect(use({ amount: 1 }, 4)).toEqual(['grant-exhausted', 'calls'])
      expect(charges.callsLeft(0)).toBe(3)
      expect(use({ amount: 1 }, 3)).toHaveProperty('units')
      expect(charges.callsLeft(0)).toBe(0)
    }
  })

  test('charges every limit or none', () => {
    const { use, spent } = chargesOf(calls, sum, hour)
    expect(use({ amount: 60 })).toEqual({ units: [1, 60, 1] })
    expect(use({ amount: 41 })).toEqual(['limit-exceeded', 'sum'])
    expect(spent()).toEqual([1, 60, 1])
    expect(use({ amount: 40 })).toEqual({ units: [1, 40, 1] })
    expect(use({ amount: 0 })).toEqual(['limit-exceeded', 'hour'])
    expect(use({ amount: 0 }, 1, 3600)).toEqual({ units: [1, 0, 1] })
    expect(spent(3600)).toEqual([3, 100, 1])
  })

  test('multiplies an amount by the uses', () => {
    const { use, spent } = chargesOf(calls, sum)
    expect(use({ amount: 34 }, 3)).toEqual(['limit-exceeded', 'sum'])
    expect(use({ amount: 33 }, 3)).toEqual({ units: [3, 99] })
    expect(spent()).toEqual([3, 99])
  })

  test.each<[string, Amounts]>([
    ['missing', {}],
    ['of another parameter', { other: 1 }],
    ['negative', { amount: -1 }],
    ['broken', { amount: 0.5 }],
    ['not a number', { amount: Number.NaN }],
    ['infinite', { amount: Number.POSITIVE_INFINITY }],
    ['too large to add up', { amount: 2 ** 53 }],
    ['text', { amount: '1' as unknown as number }],
  ])('refuses an amount that is %s', (_name, amounts) => {
    const { use, spent } = chargesOf(calls, { ...sum, max: MOST })
    expect(use(amounts)).toEqual(['amount-invalid', 'sum'])
    expect(spent()).toEqual([0, 0])
  })

  test.each<{ limits: Limit[]; amounts: Amounts; uses: number; refusal: object }>([
    { limits: [calls], amounts: {}, uses: 4, refusal: { reason: 'grant-exhausted', limit: 'calls' } },
    { limits: [calls, hour], amounts: {}, uses: 4, refusal: { reason: 'grant-exhausted', limit: 'calls' } },
    { limits: [calls, sum], amounts: {}, uses: 1, refusal: { reason: 'amount-invalid', limit: 'sum' } },
    { limits: [calls, sum], amounts: { amount: 101 }, uses: 1, refusal: { reason: 'limit-exceeded', limit: 'sum' } },
  ])('says in a refusal which limit it was: $refusal', ({ limits, amounts, uses, refusal }) => {
    expect(chargesOf(...limits).charges.whyUnfit(amounts, uses, 0)).toEqual({ ok: false, ...refusal })
  })

  test('refuses amounts that are too large only together', () => {
    const { use } = chargesOf(calls, { ...sum, max: MOST })
    expect(use({ amount: MOST }, 2)).toEqual(['amount-invalid', 'sum'])
    expect(use({ amount: MOST })).toEqual({ units: [1, MOST] })
    expect(use({ amount: 1 })).toEqual(['limit-exceeded', 'sum'])
  })

  test('needs no amount where only calls are counted, and keeps none', () => {
    const { use, spent } = chargesOf(calls, hour)
    expect(use()).toEqual({ units: undefined })
    expect(use({}, 1)).toEqual({ units: undefined })
    expect(spent()).toEqual([2, 2])
    expect(use()).toEqual(['limit-exceeded', 'hour'])
  })

  test.each<{ name: string; limits: Limit[]; after: number[] }>([
    { name: 'calls alone', limits: [calls], after: [0] },
    { name: 'calls', limits: [calls, hour], after: [0, 0] },
    { name: 'calls and amounts', limits: [calls, sum, hour], after: [0, 0, 0] },
    { name: 'an amount alone', limits: [sum], after: [0] },
    { name: "the task's calls alone", limits: [{ ...calls, per: 'task' }], after: [0] },
  ])('gives back what was charged: $name', ({ limits, after }) => {
    const { charges, use, spent } = chargesOf(...limits)
    const used = use({ amount: 7 })
    charges.giveBack('units' in used ? used.units : undefined, 0, 10)
    expect(spent(10)).toEqual(after)
  })

  test('gives a window that is over nothing back', () => {
    const { charges, use, spent } = chargesOf(calls, hour)
    use()
    use({}, 1, 3600)
    charges.giveBack(undefined, 0, 3600)
    expect(spent(3600)).toEqual([1, 1])
  })

  test("says calls left by the grant's own limit, the lowest where there are several", () => {
    const most = chargesOf(sum, hour).charges.callsLeft(0)
    expect([most, chargesOf().charges.callsLeft(0)]).toEqual([MOST, MOST])
    expect(chargesOf({ ...calls, max: 9 }, { ...calls, id: 'b', max: 4 }, hour).charges.callsLeft(0)).toBe(4)
    expect(chargesOf({ ...calls, max: 4 }, { ...calls, id: 'b', max: 9 }, hour).charges.callsLeft(0)).toBe(4)
    expect(chargesOf(calls).charges.callsLeft(0)).toBe(3)
  })

  test("does not take a total of the grant's or the task's calls for its own calls", () => {
    const total = chargesOf({ ...sum, per: 'grant', max: 1 })
    expect([total.charges.callsLeft(0), total.use({ amount: 2 })]).toEqual([MOST, ['limit-exceeded', 'sum']])
    const task = chargesOf({ ...calls, per: 'task', max: 0 })
    expect([task.charges.callsLeft(0), task.use()]).toEqual([MOST, ['limit-exceeded', 'calls']])
  })

  test('takes everything where nothing is limited', () => {
    expect(chargesOf().use()).toEqual({ units: undefined })
  })
})
