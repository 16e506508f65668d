import { describe, expect, test } from 'vitest'
import type { GrantRecord, UseRecord } from '../world/records.ts'
import { checkUses } from './uses.ts'

const AT = 1_800_000_000_000
type Run = Extract<UseRecord, { kind: 'run' }>

const run = (event: string, more: Partial<Run> = {}): readonly UseRecord[] => {
  const ids = { event, jti: 'gr_1', txn: 'tsk_1', asked: AT, at: AT, ...more }
  const { jti, txn, asked, at } = ids
  return [
    { kind: 'granted', event: ids.event, jti, txn, asked, at },
    { kind: 'run', agent: 'a', action: 'credit.add', api: 'orders-api', key: null, amount: 100, replica: 'r', ...ids },
  ]
}
const grant: GrantRecord = {
  kind: 'grant',
  jti: 'gr_1',
  txn: 'tsk_1',
  agent: 'a',
  action: 'credit.add',
  exp: AT / 1000 + 30,
  sent: AT,
  received: AT,
  requests: 9,
  succeeded: 1,
  events: ['u1'],
  unclear: 0,
  refused: {},
}
const read = (used: number) => new Map([['gr_1', { jti: 'gr_1', used }]])
const back = (event: string, answer: 'released' | 'kept' | 'unclear', at = AT): readonly UseRecord[] => [
  { kind: 'giving-back', event, jti: 'gr_1', at },
  { kind: 'gave-back', event, jti: 'gr_1', answer, at },
]
const many = (count: number, more: Partial<Run> = {}) =>
  Array.from({ length: count }, (_, n) => run(`u${n + 1}`, more)).flat()

interface Case {
  readonly name: string
  readonly uses: readonly UseRecord[]
  readonly used: number
  readonly grants?: readonly GrantRecord[]
  readonly rules: readonly string[]
}

describe('checkUses()', () => {
  test.each<Case>([
    { name: 'seven runs of seven', uses: many(7), used: 7, rules: [] },
    { name: 'a lost use that was not answered', uses: many(1), used: 2, grants: [{ ...grant, unclear: 1 }], rules: [] },
    { name: 'one run more', uses: many(8), used: 8, rules: ['no grant over its limit'] },
    {
      name: 'one run more than the limit, after one was given back',
      uses: [...many(7), ...back('u7', 'released', AT + 1), ...run('u8', { at: AT + 2 })],
      used: 7,
      rules: [],
    },
    {
      name: 'one run more than the limit, before one was given back',
      uses: [...many(8), ...back('u8', 'released', AT + 1)],
      used: 7,
      rules: ['no grant over its limit'],
    },
    {
      name: 'one run more than the limit, and the ledger had kept the use',
      uses: [...many(7), ...back('u7', 'kept'), ...run('u8', { at: AT + 2 })],
      used: 8,
      rules: ['no grant over its limit'],
    },
    {
      name: 'a use given back that the ledger still counts',
      uses: [...many(2), ...back('u2', 'released')],
      used: 2,
      rules: ['what is lost was not answered'],
    },
    {
      name: 'a use that the ledger kept, and no longer counts',
      uses: [...many(2), ...back('u2', 'kept')],
      used: 1,
      rules: ['the ledger knows every use'],
    },
    { name: 'a give-back without an answer, taken', uses: [...many(2), ...back('u2', 'unclear')], used: 1, rules: [] },
    {
      name: 'a give-back without an answer, not taken',
      uses: [...many(2), ...back('u2', 'unclear')],
      used: 2,
      rules: [],
    },
    {
      name: 'a replica killed in the middle of a give-back',
      uses: [...many(2), ...back('u2', 'released').slice(0, 1)],
      used: 1,
      rules: [],
    },
    {
      name: 'a use given back after exp',
      uses: [...many(2), ...back('u2', 'released', AT + 30_001)],
      used: 1,
      rules: ['no give-back after expiry'],
    },
    {
      name: 'a use given back and answered as done',
      uses: [...run('u1'), ...back('u1', 'released')],
      used: 0,
      rules: ['what is answered ran'],
    },
    {
      name: 'one key twice, the first time given back',
      uses: [...many(2, { key: 'k' }), ...back('u2', 'released')],
      used: 1,
      rules: [],
    },
    {
      name: 'a total over its cap, but for what was given back',
      uses: [...many(6, { amount: 429 }), ...back('u6', 'released', AT + 1), ...run('u7', { amount: 429, at: AT + 2 })],
      used: 6,
      rules: [],
    },
    { name: 'a total over its cap', uses: many(7, { amount: 429 }), used: 7, rules: ['no total over its cap'] },
    {
      name: 'a run after exp',
      uses: run('u1', { asked: AT + 30_001 }),
      used: 1,
      rules: ['no use after expiry'],
    },
    {
      name: 'a use that ran twice',
      uses: [...run('u1'), ...run('u1')],
      used: 2,
      rules: ['a use runs once'],
    },
    { name: 'one key twice', uses: many(2, { key: 'k' }), used: 2, rules: ['an idempotency key runs once'] },
    {
      name: 'a run without a redeem',
      uses: run('u1').filter(({ kind }) => kind === 'run'),
      used: 1,
      rules: ['every run was redeemed'],
    },
    { name: 'an answer without a run', uses: [], used: 0, rules: ['what is answered ran'] },
    { name: 'a run the ledger does not know', uses: many(2), used: 1, rules: ['the ledger knows every use'] },
    { name: 'a use that vanished', uses: many(1), used: 2, rules: ['what is lost was not answered'] },
  ])('$name: $rules', ({ uses, used, grants = [grant], rules }) => {
    const { violations } = checkUses({ uses, grants, readings: read(used), isKeptSure: true })
    expect(violations.map(({ rule }) => rule)).toEqual(rules)
  })

  test('counts what was lost, before and after the redeem', () => {
    const uses = [...many(2), ...run('u3').filter(({ kind }) => kind === 'granted')]
    const { counts } = checkUses({ uses, grants: [{ ...grant, unclear: 2 }], readings: read(4), isKeptSure: true })
    expect(counts).toEqual({
      runs: 2,
      granted: 3,
      givenBack: 0,
      keptBack: 0,
      unclearBack: 0,
      readings: 1,
      usedInLedger: 4,
      runsOfRead: 2,
      givenBackOfRead: 0,
      goneOfRead: 0,
      lost: 2,
      lostAfterRedeem: 1,
      spentToTheLast: 0,
    })
  })

  test('counts what came back, and of what had no answer what the ledger had taken', () => {
    const uses = [...many(5), ...back('u5', 'released'), ...back('u2', 'kept'), ...back('u3', 'unclear')]
    const { counts, violations } = checkUses({ uses, grants: [grant], readings: read(3), isKeptSure: true })
    expect(violations).toEqual([])
    expect(counts).toMatchObject({ runs: 5, givenBack: 1, keptBack: 1, unclearBack: 1 })
    expect(counts).toMatchObject({ usedInLedger: 3, runsOfRead: 5, givenBackOfRead: 1, goneOfRead: 1, lost: 0 })
  })

  test('a refused give-back is unclear where it may have been sent twice', () => {
    const uses = [...many(2), ...back('u2', 'kept')]
    expect(checkUses({ uses, grants: [grant], readings: read(1), isKeptSure: false }).violations).toEqual([])
  })
})
