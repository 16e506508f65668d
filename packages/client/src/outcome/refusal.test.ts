import { describe, expect, test } from 'vitest'
import { isReason } from './advice.ts'
import { refusal } from './refusal.ts'
import { refusedResponse } from './refused-response.ts'

describe('refusal()', () => {
  test('refusal() says what to do next, without words of policy or protocol', () => {
    for (const reason of [
      'no-rule-matched',
      'policy-failed',
      'token-signature',
      'grant-exhausted',
      'api-unavailable',
    ] as const) {
      const { message } = refusal(reason)
      expect(message).toMatch(/\. /)
      expect(message).not.toMatch(/token|grant|rule|policy|proof|DPoP|broker|ledger/i)
      expect(message.length).toBeLessThan(240)
    }
  })

  test.each([undefined, 7, '', 'call the police', 'ev_', 'ev_<script>', `ev_${'x'.repeat(65)}`])(
    'refusal() does not take %s for an event',
    (event) => {
      expect(refusal('internal', { event })).not.toHaveProperty('event')
    },
  )

  test('refusal() takes an event id', () => {
    expect(refusal('internal', { event: 'ev_abc-1' })).toMatchObject({ ok: false, event: 'ev_abc-1' })
  })
})

describe('isReason()', () => {
  test.each(['', 'constructor', '__proto__', 'toString', 'NO-RULE-MATCHED', 7, null, undefined, {}])(
    'isReason() is false for %s',
    (value) => {
      expect(isReason(value)).toBe(false)
    },
  )
})

describe('refusedResponse()', () => {
  test.each([
    ['no-rule-matched', 403, 403],
    ['broker-unavailable', 503, 503],
    ['token-expired', 401, 401],
    ['api-unavailable', 424, 502],
    ['idempotency-running', 409, 409],
    ['task-ended', 403, 403],
  ] as const)('refusedResponse() of %s', async (reason, write, read) => {
    expect([refusedResponse(refusal(reason), false).status, refusedResponse(refusal(reason), true).status]).toEqual([
      write,
      read,
    ])
    expect(await refusedResponse(refusal(reason), false).json()).toMatchObject({
      type: 'urn:hallpass:problem:refused',
      reason,
    })
  })
})
