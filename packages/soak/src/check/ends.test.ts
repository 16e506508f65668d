import { describe, expect, test } from 'vitest'
import type { EndRecord, GrantRecord } from '../world/records.ts'
import { checkEnds } from './ends.ts'
import type { Run } from './uses.ts'

const AT = 1_800_000_000_000
const run = (asked: number, at: number): Run => ({
  kind: 'run',
  event: 'u1',
  jti: 'gr_1',
  txn: 'tsk_1',
  agent: 'a',
  action: 'note.add',
  key: null,
  amount: 0,
  asked,
  at,
  replica: 'r',
})
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
  readonly runs: readonly Run[]
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
  ])('$name: $rules', ({ target, runs, grant: issued = before, rules, worst }) => {
    const end: EndRecord = { kind: 'end', target, asked: AT - 5, at: AT, resumed: AT + 500 }
    const { violations, counts } = checkEnds(runs, [issued], [end])
    expect(violations.map(({ rule }) => rule)).toEqual(rules)
    expect(counts).toEqual({ acknowledged: 1, worstDelayMs: worst })
  })
})
