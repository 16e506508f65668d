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
    { kind: 'run', agent: 'a', action: 'credit.add', key: null, amount: 100, replica: 'r', ...ids },
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
    const { violations } = checkUses({ uses, grants, readings: read(used) })
    expect(violations.map(({ rule }) => rule)).toEqual(rules)
  })

  test('counts what was lost, before and after the redeem', () => {
    const uses = [...many(2), ...run('u3').filter(({ kind }) => kind === 'granted')]
    const { counts } = checkUses({ uses, grants: [{ ...grant, unclear: 2 }], readings: read(4) })
    expect(counts).toEqual({
      runs: 2,
      granted: 3,
      readings: 1,
      usedInLedger: 4,
      runsOfRead: 2,
      lost: 2,
      lostAfterRedeem: 1,
    })
  })
})
