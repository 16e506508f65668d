import { describe, expect, test } from 'vitest'
import type { Limit } from '../grant/entry.ts'
import type { GrantRecord, RedeemRequest } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

const NOW = 1_700_000_000
const DEADLINE = NOW + 2000
const CALLS: Limit = { id: 'calls', per: 'grant', max: 1 }
const TOTAL: Limit = { id: 'total', per: 'task', max: 100, parameter: 'amount', scale: 2, unit: 'EUR' }

/** A ledger on a clock that stands still, with one open task. */
function scene() {
  const ledger = memoryLedger({ exactFor: 'one-process', clock: () => NOW, maxSkewSeconds: 5 })
  const policy = { version: '1', digest: 'd' }
  const own = { txn: 'tsk', clientId: 'bot', owner: 'team', policy, incarnation: ledger.incarnation }
  ledger.openTask(
    { ...own, purpose: 'p', jkt: 'j', identity: { iss: 'i', sub: 's' }, openedAt: NOW, deadline: DEADLINE },
    { maxOpenTasks: 1 },
  )
  let ids = 0
  const register = (changes: Partial<GrantRecord> = {}) =>
    ledger.registerGrant({
      ...own,
      issuer: 'https://broker.example',
      jti: `gr_${(ids += 1)}`,
      audience: 'https://orders.example',
      action: 'a',
      resource: 'order:1',
      iat: NOW,
      exp: NOW + 60,
      limits: [CALLS],
      status: { uri: 'u', idx: 0 },
      ...changes,
    })
  return { ledger, register }
}

const reason = (answer: { readonly ok: boolean; readonly reason?: string }) => (answer.ok ? 'ok' : answer.reason)
const atIssue = (limits: readonly Limit[], uses = 1): Partial<GrantRecord> => ({
  chargeAtIssue: { limits, amounts: { amount: 1 }, uses },
})

describe('registerGrant()', () => {
  test.each<[string, Partial<GrantRecord>, string]>([
    ['issued by a clock that is ahead by the skew', { iat: NOW + 5, exp: NOW + 60 }, 'ok'],
    ['issued further ahead', { iat: NOW + 5.5, exp: NOW + 60 }, 'not-yet-valid'],
    ['issued at no time', { iat: Number.NaN }, 'not-yet-valid'],
    ['over in a moment', { exp: NOW + 0.5 }, 'ok'],
    ['over now', { iat: NOW - 60, exp: NOW }, 'token-expired'],
    ['of the longest TTL', { exp: NOW + 900 }, 'ok'],
    ['of more', { exp: NOW + 900.5 }, 'lifetime-exceeded'],
    ['charged at issue for one use', atIssue([TOTAL]), 'ok'],
    ['charged for half a use', atIssue([TOTAL], 0.5), 'details-invalid'],
    ['charged for uses nobody counted', atIssue([TOTAL], Number.NaN), 'details-invalid'],
    ['charged at issue for its own calls', atIssue([CALLS]), 'details-invalid'],
    ['charged at issue for one limit twice', atIssue([TOTAL, TOTAL]), 'details-invalid'],
    ['charged at issue beyond a limit', atIssue([TOTAL], 101), 'limit-exceeded'],
  ])('a grant %s: %s', (_name, changes, expected) => {
    expect(reason(scene().register(changes))).toBe(expected)
  })

  test.each([
    [DEADLINE, 'ok'],
    [DEADLINE + 1, 'lifetime-exceeded'],
  ])('a grant that ends at %d: %s', (exp, expected) => {
    let now = NOW
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => now })
    const own = { txn: 't', clientId: 'bot', owner: 'o', policy: { version: '1', digest: 'd' } }
    const task = { ...own, incarnation: ledger.incarnation, purpose: 'p', jkt: 'j', identity: { iss: 'i', sub: 's' } }
    ledger.openTask({ ...task, openedAt: NOW, deadline: DEADLINE }, { maxOpenTasks: 1 })
    now = DEADLINE - 60
    const grant = { ...own, incarnation: ledger.incarnation, issuer: 'i', jti: 'g', audience: 'a', action: 'x' }
    const status = { uri: 'u', idx: 0 }
    const answer = ledger.registerGrant({ ...grant, resource: 'r:1', iat: now, exp, limits: [CALLS], status })
    expect(reason(answer)).toBe(expected)
  })

  test('charges nothing for a limit at issue that already counts something else', () => {
    const { ledger, register } = scene()
    expect(reason(register(atIssue([TOTAL])))).toBe('ok')
    for (const other of [{ unit: 'USD' }, { scale: 3 }, { parameter: 'fee' }]) {
      expect(reason(register(atIssue([{ ...TOTAL, ...other }])))).toBe('details-invalid')
      expect(reason(register({ limits: [CALLS, { ...TOTAL, ...other }] }))).toBe('details-invalid')
    }
    expect(ledger.task('tsk')).toMatchObject({ spent: { total: 1 }, grantsIssued: 1 })
  })

  test('knows what a limit of the agent already counts, whatever its tasks count', () => {
    const { register } = scene()
    const daily: Limit = { ...TOTAL, id: 'daily', per: 'agent', window_seconds: 86_400 }
    const limits = [daily, { ...daily, unit: 'USD' }, daily].map((limit) =>
      reason(register({ limits: [CALLS, limit] })),
    )
    expect(limits).toEqual(['ok', 'details-invalid', 'ok'])
  })

  test('knows no grant by its signature once a registration was asked for, refused or not', () => {
    let now = NOW
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => now })
    now += 10
    const grant = { issuer: 'i', txn: 't', clientId: 'bot', audience: 'a', action: 'x', iat: now, exp: now + 60 }
    const signed = (jti: string): RedeemRequest => ({
      ...grant,
      jti,
      attempt: jti,
      event: jti,
      resource: 'r:1',
      source: 'signed',
      limits: [CALLS],
      amounts: {},
    })
    expect(reason(ledger.redeem(signed('one')))).toBe('ok')
    ledger.registerGrant({
      ...grant,
      jti: 'two',
      owner: 'o',
      resource: 'r:1',
      limits: [CALLS],
      policy: { version: '1', digest: 'd' },
      status: { uri: 'u', idx: 0 },
      incarnation: 'another',
    })
    expect(reason(ledger.redeem(signed('three')))).toBe('grant-unknown')
  })
})
