import { describe, expect, test } from 'vitest'
import type { RevocationTarget } from './ledger.ts'
import { StandingStops } from './standing-stops.ts'

const NOW = 1_700_000_000
const SKEW = 5
const LIFE = 900

const issue = {
  clientId: 'bot',
  owner: 'team',
  policyVersion: '1',
  api: { audience: 'https://a.example', action: 'x' },
}
const use = {
  jti: 'gr_1',
  txn: 'tsk_1',
  clientId: 'bot',
  owner: 'team',
  policyVersion: '1',
  audience: 'https://a.example',
  action: 'x',
  iat: NOW,
}
const AGENT = { kind: 'agent', clientId: 'bot' } as const
const OWNER = { kind: 'owner', owner: 'team' } as const
const VERSION = { kind: 'policy-version', version: '1' } as const
const ACTION = { kind: 'action', audience: 'https://a.example', action: 'x' } as const
const EVERYTHING = { kind: 'everything' } as const
const GRANT = { kind: 'grant', jti: 'gr_1' } as const
const TASK = { kind: 'task', txn: 'tsk_1' } as const

function stopped(...targets: readonly RevocationTarget[]): StandingStops {
  const stops = new StandingStops(SKEW)
  for (const target of targets) stops.stop(target, NOW)
  return stops
}

describe('StandingStops.whyNotIssued()', () => {
  test.each<[RevocationTarget, string | undefined]>([
    [AGENT, 'agent-revoked'],
    [OWNER, 'agent-revoked'],
    [VERSION, 'stopped'],
    [ACTION, 'stopped'],
    [EVERYTHING, 'stopped'],
    [{ ...AGENT, clientId: 'other' }, undefined],
    [{ ...OWNER, owner: 'bot' }, undefined],
    [{ ...VERSION, version: '2' }, undefined],
    [{ ...ACTION, action: 'y' }, undefined],
    [{ ...ACTION, audience: 'https://b.example' }, undefined],
  ])('while %j stands: %s', (target, reason) => {
    const stops = stopped(target)
    expect(stops.whyNotIssued(issue)).toBe(reason)
    expect(stops.lift(target, NOW + 1)).toBe(true)
    expect(stops.whyNotIssued(issue)).toBeUndefined()
    stops.stop(target, NOW + 2)
    expect(stops.whyNotIssued(issue)).toBe(reason)
  })

  test('opens a task while only an action is stopped', () => {
    const { api: _api, ...task } = issue
    expect(stopped(ACTION).whyNotIssued(task)).toBeUndefined()
  })
})

describe('StandingStops.whyRefused()', () => {
  test.each<[RevocationTarget, boolean]>([
    [GRANT, true],
    [TASK, true],
    [AGENT, true],
    [OWNER, true],
    [VERSION, true],
    [ACTION, true],
    [EVERYTHING, true],
    [{ ...GRANT, jti: 'tsk_1' }, false],
    [{ ...TASK, txn: 'gr_1' }, false],
    [{ ...AGENT, clientId: 'team' }, false],
    [{ ...OWNER, owner: 'bot' }, false],
    [{ ...VERSION, version: '2' }, false],
    [{ ...ACTION, action: 'y' }, false],
    [{ ...ACTION, audience: 'https://b.example' }, false],
  ])('while %j stands: %s', (target, refused) => {
    expect(stopped(target).whyRefused(use)).toBe(refused ? 'grant-revoked' : undefined)
  })

  test.each([
    ['owner', OWNER, AGENT],
    ['policyVersion', VERSION, AGENT],
  ] as const)('refuses who does not say its %s only while one is stopped', (member, target, other) => {
    const silent = { ...use, [member]: undefined, clientId: 'other' }
    const one = { ...target, ...(target.kind === 'owner' ? { owner: 'one' } : { version: 'one' }) }
    const stops = stopped(other)
    expect(stops.whyRefused(silent)).toBeUndefined()
    stops.stop(target, NOW)
    stops.stop(target, NOW)
    stops.stop(one, NOW)
    stops.lift(target, NOW)
    expect(stops.whyRefused(silent)).toBe('grant-revoked')
    // The first is forgotten; the other still stands.
    stops.stop(other, NOW + 2000)
    expect(stops.whyRefused(silent)).toBe('grant-revoked')
    stops.lift(one, NOW + 2000)
    stops.stop(other, NOW + 4000)
    expect(stops.whyRefused(silent)).toBeUndefined()
  })

  test('refuses after a lift what was issued by then on a clock that is ahead, and nothing later', () => {
    const stops = stopped(AGENT)
    expect(stops.whyRefused({ ...use, iat: NOW + 1000 })).toBe('grant-revoked')
    stops.lift(AGENT, NOW + 100)
    const iats = [NOW, NOW + 100 + SKEW, NOW + 100 + SKEW + 1]
    expect(iats.map((iat) => stops.whyRefused({ ...use, iat }))).toEqual(['grant-revoked', 'grant-revoked', undefined])
  })

  test('forgets what was lifted when whatever it killed is over on every clock, and not before', () => {
    const stops = stopped(AGENT)
    stops.lift(AGENT, NOW)
    const over = NOW + SKEW + LIFE + SKEW
    for (const [now, reason] of [
      [over - 1, 'grant-revoked'],
      [over, undefined],
    ] as const) {
      stops.lift(EVERYTHING, now)
      expect(stops.whyRefused(use)).toBe(reason)
    }
  })

  test('forgets a stop with an end at its end', () => {
    const stops = stopped(OWNER)
    stops.stop(GRANT, NOW, NOW + 10)
    stops.stop(TASK, NOW + 9)
    expect(stops.whyRefused({ ...use, owner: 'other', txn: 'tsk_2' })).toBe('grant-revoked')
    stops.stop(TASK, NOW + 10)
    expect(stops.whyRefused({ ...use, owner: 'other', txn: 'tsk_2' })).toBeUndefined()
    expect(stops.whyRefused(use)).toBe('grant-revoked')
  })

  test('knows nothing when nothing was stopped', () => {
    expect([stopped().whyRefused({ ...use, owner: undefined }), stopped().whyNotIssued(issue)]).toEqual([
      undefined,
      undefined,
    ])
  })
})

describe('StandingStops.lift()', () => {
  test.each<RevocationTarget>([GRANT, TASK])('lifts no %j: it is dead for good', (target) => {
    const stops = stopped(target)
    expect(stops.lift(target, NOW)).toBe(false)
    expect(stops.whyRefused({ ...use, iat: NOW + 800 })).toBe('grant-revoked')
  })

  test('lifts what stands, once', () => {
    const stops = stopped(AGENT)
    expect([OWNER, AGENT, AGENT].map((target) => stops.lift(target, NOW))).toEqual([false, true, false])
  })
})
