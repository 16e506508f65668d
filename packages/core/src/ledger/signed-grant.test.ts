import { expect, test } from 'vitest'
import type { RedeemRequest } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

const BOOT = 1_700_000_000
const NOW = BOOT + 1000

/** A signed grant at a ledger that started at BOOT, redeemed at NOW. */
function redeem(changes: Partial<RedeemRequest>): string | undefined {
  let now = BOOT
  const ledger = memoryLedger({ exactFor: 'one-process', clock: () => now, maxSkewSeconds: 5 })
  now = NOW
  const answer = ledger.redeem({
    attempt: 'at',
    event: 'ev',
    audience: 'a',
    issuer: 'i',
    jti: 'gr',
    txn: 'tsk',
    clientId: 'bot',
    iat: NOW,
    exp: NOW + 60,
    action: 'x',
    resource: 'order:1',
    source: 'signed',
    limits: [{ id: 'calls', per: 'grant', max: 1 }],
    amounts: {},
    ...changes,
  })
  return answer.ok ? 'ok' : answer.reason
}

test.each<[string, Partial<RedeemRequest>, string]>([
  ['issued by a clock that is ahead by the skew', { iat: NOW + 5 }, 'ok'],
  ['issued further ahead', { iat: NOW + 5.5 }, 'not-yet-valid'],
  ['issued at no time', { iat: Number.NaN }, 'token-claims'],
  ['that has no end', { exp: Number.NaN }, 'token-claims'],
  ['that never ends', { exp: Number.POSITIVE_INFINITY }, 'token-claims'],
  ['over in a moment', { exp: NOW + 0.5 }, 'ok'],
  ['over now', { iat: NOW - 60, exp: NOW }, 'token-expired'],
  ['of the longest TTL', { iat: NOW - 800, exp: NOW + 100 }, 'ok'],
  ['of more', { iat: NOW - 800, exp: NOW + 100.5 }, 'lifetime-exceeded'],
  ['before its deadline', { deadline: NOW + 0.5 }, 'ok'],
  ['at its deadline', { deadline: NOW }, 'task-expired'],
])('signedGrant() %s: %s', (_name, changes, expected) => {
  expect(redeem(changes)).toBe(expected)
})

test.each([
  [4.5, 'incarnation-mismatch'],
  [5, 'ok'],
])('signedGrant() %d s after the start of the ledger: %s', (after, expected) => {
  let now = BOOT
  const ledger = memoryLedger({ exactFor: 'one-process', clock: () => now, maxSkewSeconds: 5 })
  now = BOOT + after
  const grant = { issuer: 'i', jti: 'gr', txn: 't', clientId: 'bot', audience: 'a', action: 'x', resource: 'r:1' }
  const times = { iat: now, exp: now + 60 }
  const limits = [{ id: 'calls', per: 'grant', max: 1 }] as const
  const answer = ledger.redeem({
    ...grant,
    ...times,
    attempt: 'at',
    event: 'ev',
    source: 'signed',
    limits,
    amounts: {},
  })
  expect(answer.ok ? 'ok' : answer.reason).toBe(expected)
})
