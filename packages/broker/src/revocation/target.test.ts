import type { JsonValue, RevocationTarget } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { parseTarget, targetOf } from './target.ts'

const TOKEN = 'eyJ0eXAiOiJhdCtqd3QifQ.eyJqdGkiOiJncl8xIn0.c2ln'

const good: RevocationTarget[] = [
  { kind: 'grant', jti: 'gr_RAJ5xxL5q0OZRJWl3uvXHw' },
  { kind: 'task', txn: 'tsk_l0YiXVRUN9FyLqEC8yxtZg' },
  { kind: 'agent', clientId: 'support-bot' },
  { kind: 'owner', owner: 'team:support' },
  { kind: 'action', audience: 'https://orders.example', action: 'refund.create' },
  { kind: 'policy-version', version: '1' },
  { kind: 'everything' },
]
const bad: [name: string, target: JsonValue | undefined][] = [
  ['nothing', undefined],
  ['no object', 'everything'],
  ['no kind', { jti: 'gr_1' }],
  ['an unknown kind', { kind: 'all' }],
  ['a member of every object', { kind: 'constructor' }],
  ['a grant by its token', { kind: 'grant', jti: TOKEN }],
  ['a task by its token', { kind: 'task', txn: TOKEN }],
  ['a grant by the id of a task', { kind: 'grant', jti: 'tsk_1' }],
  ['a task by the id of a grant', { kind: 'task', txn: 'gr_1' }],
  ['an id with more behind it', { kind: 'grant', jti: 'gr_1\n' }],
  ['an id that is too long', { kind: 'grant', jti: `gr_${'a'.repeat(65)}` }],
  ['an empty name', { kind: 'agent', clientId: '' }],
  ['a name that is too long', { kind: 'agent', clientId: 'a'.repeat(513) }],
  ['a number for a name', { kind: 'agent', clientId: 1 }],
  ['half an action', { kind: 'action', action: 'refund.create' }],
  ['one member too many', { kind: 'everything', clientId: 'support-bot' }],
]

describe('parseTarget()', () => {
  test.each(good)('reads $kind', (target) => {
    expect(parseTarget({ ...target })).toEqual(target)
    expect(targetOf(target)).toEqual(target)
  })

  test.each(bad)('refuses %s', (_name, target) => {
    expect(parseTarget(target)).toBeUndefined()
  })
})

describe('targetOf()', () => {
  test('says how a grant is named, and repeats no token', () => {
    const wrong = () => targetOf({ kind: 'grant', jti: TOKEN })
    expect(wrong).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
    expect(wrong).toThrow(expect.objectContaining({ message: expect.not.stringContaining('eyJ') }))
  })
})
