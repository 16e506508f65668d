import { describe, expect, test } from 'vitest'
import type { EndRecord, GrantRecord, UseRecord } from '../world/records.ts'
import { checkEnds } from './ends.ts'

const AT = 1_800_000_000_000
const run = (asked: number, at: number): UseRecord => ({
  kind: 'run',
  event: 'u1',
  jti: 'gr_1',
  txn: 'tsk_1',
  agent: 'a',
  action: 'note.add',
  api: 'orders-api',
  key: null,
  amount: 0,
  asked,
  at,
  replica: 'r',
})
const back = (at: number, answer: 'released' | 'kept'): readonly UseRecord[] => [
  { kind: 'giving-back', event: 'u1', jti: 'gr_1', at },
  { kind: 'gave-back', event: 'u1', jti: 'gr_1', answer, at: at + 1 },
]
const grant = (sent: number, received: number): GrantRecord => ({
  kind: 'grant',
  jti: 'gr_1',
  txn: 'tsk_1',
  agent: 'a',
  action: 'note.add',
  exp: AT / 1000 + 30,
  sent,
  received,
  requests: 1,
  succeeded: 1,
  events: ['u1'],
  unclear: 0,
  refused: {},
})
const before = grant(AT - 100, AT - 50)

interface Case {
  readonly name: string
  readonly target: EndRecord['target']
  readonly runs: readonly UseRecord[]
  readonly boundMs?: number
  readonly asked?: number
  readonly grant?: GrantRecord
  readonly rules: readonly string[]
  readonly worst: number
}

describe('checkEnds()', () => {
  test.each<Case>([
    {
      name: 'asked before, started after',
      target: { kind: 'grant', jti: 'gr_1' },
      runs: [run(AT - 1, AT + 9)],
      rules: [],
      worst: 9,
    },
    {
      name: 'asked after a grant was revoked',
      target: { kind: 'grant', jti: 'gr_1' },
      runs: [run(AT + 1, AT + 2)],
      rules: ['no use after revocation'],
      worst: 2,
    },
    {
      name: 'asked after its task ended',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT + 1, AT + 2)],
      rules: ['no use after revocation'],
      worst: 2,
    },
    {
      name: 'asked after its agent was stopped',
      target: { kind: 'agent', clientId: 'a' },
      runs: [run(AT + 1, AT + 2)],
      rules: ['no use after revocation'],
      worst: 2,
    },
    {
      name: 'started much later',
      target: { kind: 'grant', jti: 'gr_1' },
      runs: [run(AT - 1, AT + 10_001)],
      rules: ['no use long after revocation'],
      worst: 10_001,
    },
    {
      name: 'asked within the bound of who is told',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT + 5900, AT + 5901)],
      boundMs: 5000,
      rules: [],
      worst: 5901,
      asked: 5900,
    },
    {
      name: 'asked after the bound of who is told',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT + 6001, AT + 6002)],
      boundMs: 5000,
      rules: ['no use after revocation'],
      worst: 6002,
      asked: 6001,
    },
    {
      name: 'given back before',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT - 9, AT - 8), ...back(AT, 'released')],
      rules: [],
      worst: 0,
    },
    {
      name: 'given back after',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT - 9, AT - 8), ...back(AT + 1, 'released')],
      rules: ['no give-back after revocation'],
      worst: 0,
    },
    {
      name: 'given back after, and refused',
      target: { kind: 'task', txn: 'tsk_1' },
      runs: [run(AT - 9, AT - 8), ...back(AT + 1, 'kept')],
      rules: [],
      worst: 0,
    },
    {
      name: 'another task',
      target: { kind: 'task', txn: 'tsk_2' },
      runs: [run(AT + 1, AT + 2)],
      rules: [],
      worst: 0,
    },
    {
      name: 'issued while the agent was stopped',
      target: { kind: 'agent', clientId: 'a' },
      runs: [],
      grant: grant(AT + 1, AT + 2),
      rules: ['a stopped agent gets nothing'],
      worst: 0,
    },
    {
      name: 'issued when the agent had been let go on',
      target: { kind: 'agent', clientId: 'a' },
      runs: [run(AT + 600, AT + 601)],
      grant: grant(AT + 1, AT + 501),
      rules: [],
      worst: 0,
    },
  ])('$name: $rules', ({ target, runs, grant: issued = before, rules, worst, boundMs = 0, asked }) => {
    const end: EndRecord = { kind: 'end', target, asked: AT - 5, at: AT, resumed: AT + 500 }
    const { violations, counts } = checkEnds({ uses: runs, grants: [issued], ends: [end], boundMs })
    expect(violations.map(({ rule }) => rule)).toEqual(rules)
    expect(counts).toMatchObject({ acknowledged: 1, worstDelayMs: worst, ...(asked && { worstAskMs: asked }) })
  })
})
