import { expect, test } from 'vitest'
import type { Attempt } from '../flow/attempt.ts'
import { createRefusalStanding } from './refusal-standing.ts'

const attempt = (more: { token?: boolean; jti?: string; now?: number }): Attempt =>
  ({
    now: more.now ?? 0,
    token: more.token === false ? undefined : {},
    proof: more.jti === undefined ? undefined : { jkt: 'key', jti: more.jti },
  }) as unknown as Attempt

test('createRefusalStanding() calls fresh only a proof that was not refused before', () => {
  const standingOf = createRefusalStanding(60)
  expect([
    standingOf(attempt({ jti: 'a' }), 'resource-mismatch'),
    standingOf(attempt({ jti: 'a' }), 'resource-mismatch'),
    standingOf(attempt({ jti: 'b' }), 'proof-replayed'),
    standingOf(attempt({}), 'proof-time'),
    standingOf(attempt({ token: false }), 'token-expired'),
  ]).toEqual(['fresh', 'token', 'token', 'token', 'nothing'])
})

test('createRefusalStanding() bounds what a copied token can write, per window', () => {
  const standingOf = createRefusalStanding(60)
  const own = (now: number) =>
    Array.from({ length: 1000 }, () => standingOf(attempt({ now }), 'proof-time')).filter(
      (standing) => standing === 'token',
    ).length
  expect([own(0), own(59), own(60)]).toEqual([100, 0, 100])
})

test('createRefusalStanding() does not count proven refusals against that bound', () => {
  const standingOf = createRefusalStanding(60)
  const standings = Array.from({ length: 500 }, (_, index) =>
    standingOf(attempt({ jti: `p${index}` }), 'resource-mismatch'),
  )
  expect(new Set(standings)).toEqual(new Set(['fresh']))
})
