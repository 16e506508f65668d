import type { MaybePromise, RedeemAnswer, RefusalReason } from '@hallpass/core'
import { parameterDigest } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import { createTestIssuer } from '../../test/test-issuer.ts'
import type { Recorder } from '../audit/recorder.ts'
import { planAction } from '../call/planned-action.ts'
import { RequestFields } from '../request/request-fields.ts'
import { GenuineToken } from '../token/genuine-token.ts'
import type { GrantWish } from '../../test/test-issuer.ts'
import { Attempt } from './attempt.ts'
import { recordedUse, redeemedUse } from './spend-grant.ts'

const issuer = createTestIssuer()
const key = { kid: 'key-1', algorithm: 'ES256', key: {} as never, live: true }
const FIRST = { ok: true, state: 'first', reservation: 'res_1', at: 1, usesLeft: 0 } as const

/** An attempt that every step before passed. */
function spending(wish: GrantWish = {}, idempotencyKey?: string): Attempt {
  const call = { method: 'POST', target: '/orders/123/refund', headers: [] }
  const attempt = new Attempt(planAction(orders, 'refund.create'), call, { clock: () => 0, sharesRoute: false })
  const claims = issuer.grantClaims({ action: 'refund.create', ...wish }) as never
  const fields = Object.assign(new RequestFields(), { idempotencyKey })
  return Object.assign(attempt, {
    fields,
    token: new GenuineToken('a.b.c', claims, { key, skewSeconds: 5 }),
    proof: { jkt: 'thumb', jti: 'proof', iat: 3, acceptUntil: 4, queryBound: false },
    resource: 'order:123',
    raw: { amount: '42.00' },
  })
}

function setUp(answer?: () => MaybePromise<RedeemAnswer>) {
  const ledger = scriptedLedger(answer)
  const step = redeemedUse({ ledger, timeoutMs: 20, source: 'registered', nextId: () => 'ev_1' })
  return { ledger, step }
}

const total = { id: 'sum', per: 'task', max: 10_000, parameter: 'amount', scale: 2 } as const

describe('redeemedUse()', () => {
  test('keeps the first answer, and asks for exactly what was checked', async () => {
    const { ledger, step } = setUp(() => FIRST)
    const attempt = spending({ limits: [total], claims: { jti: 'gr_1' } })
    expect(await step(attempt)).toBeUndefined()
    expect([attempt.redeemed, attempt.event, attempt.callId]).toEqual([FIRST, 'ev_1', undefined])
    expect(ledger.requests).toMatchObject([
      {
        attempt: 'ev_1',
        event: 'ev_1',
        jti: 'gr_1',
        limits: [total],
        amounts: { amount: 4200 },
        owner: 'team:support',
        policyVersion: '1',
        proof: { jkt: 'thumb', jti: 'proof', iat: 3, acceptUntil: 4 },
      },
    ])
    expect(ledger.requests[0]).not.toHaveProperty('idempotency')
    expect(ledger.requests[0]?.proof).not.toHaveProperty('queryBound')
  })

  test('is synchronous where the ledger is', () => {
    const { step } = setUp()
    expect(step(spending())).toBeUndefined()
  })

  test.each(['00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', undefined])(
    'names the trace of the call where it has one: %s',
    async (traceparent) => {
      const { ledger, step } = setUp()
      await step(Object.assign(spending(), { traced: { traceparent } }))
      await step(spending())
      expect(ledger.requests.map(({ trace }) => trace)).toEqual([traceparent, undefined])
      expect(ledger.requests.map((request) => 'trace' in request)).toEqual([traceparent !== undefined, false])
    },
  )

  test('works out no amounts where no limit adds one up', async () => {
    const { ledger, step } = setUp()
    await step(spending())
    expect(ledger.requests[0]?.amounts).toEqual({})
  })

  test('refuses an amount that cannot be added up, without asking the ledger', async () => {
    const { ledger, step } = setUp()
    const attempt = Object.assign(spending({ limits: [total] }), { raw: { amount: '0.001' } })
    expect(await step(attempt)).toMatchObject({ ok: false, reason: 'amount-invalid' })
    expect(ledger.requests).toEqual([])
  })

  test('says nothing of a proof where there was none', async () => {
    const { ledger, step } = setUp()
    await step(Object.assign(spending(), { proof: undefined }))
    expect(ledger.requests[0]).not.toHaveProperty('proof')
  })

  test('ties an idempotency key to method, action, resource and parameters', async () => {
    const { ledger, step } = setUp()
    const attempt = spending({}, '"call-1"')
    await step(attempt)
    const about = { method: 'POST', action: 'refund.create', resource: 'order:123', parameters: { amount: '42.00' } }
    expect(ledger.requests[0]?.idempotency).toEqual({ key: 'call-1', digest: parameterDigest(about) })
    expect(attempt.callId).toBe('call-1')
  })

  test('refuses a broken idempotency key without asking the ledger', async () => {
    const { ledger, step } = setUp()
    expect(await step(spending({}, 'a b'))).toMatchObject({ ok: false, reason: 'request-malformed' })
    expect(ledger.requests).toEqual([])
  })

  const event = 'ev_0'
  test.each<[string, unknown, RefusalReason]>([
    ['a refusal', { ok: false, reason: 'grant-exhausted' }, 'grant-exhausted'],
    ['a refusal for no known reason', { ok: false, reason: 'because' }, 'ledger-unavailable'],
    ['a refusal without a reason', { ok: false }, 'ledger-unavailable'],
    ['nothing', undefined, 'ledger-unavailable'],
    ['null', null, 'ledger-unavailable'],
    ['true', true, 'ledger-unavailable'],
    ['an empty object', {}, 'ledger-unavailable'],
    ['a word for ok', { ...FIRST, ok: 'true' }, 'ledger-unavailable'],
    ['a first use without a reservation', { ...FIRST, reservation: undefined }, 'ledger-unavailable'],
    ['ok without a state', { ok: true }, 'ledger-unavailable'],
    ['a state nobody knows', { ok: true, state: 'second', event }, 'ledger-unavailable'],
    ['a state every object has', { ok: true, state: 'toString', event }, 'ledger-unavailable'],
    ['a use that runs', { ok: true, state: 'running', event }, 'idempotency-running'],
    ['a use without a known end', { ok: true, state: 'unknown', event }, 'idempotency-unknown'],
    ['a use that is done', { ok: true, state: 'done', event, outcome: { status: 200 } }, 'idempotency-done'],
  ])('never takes %s for a permit, at once or later', async (_name, answer, reason) => {
    for (const given of [() => answer, async () => answer]) {
      const { step } = setUp(given as () => RedeemAnswer)
      const attempt = spending()
      expect(await step(attempt)).toMatchObject({ ok: false, reason })
      expect(attempt.redeemed).toBeUndefined()
      expect(attempt.repeats).toEqual(reason.startsWith('idempotency-') ? answer : undefined)
    }
  })

  test.each<{ name: string; answer: () => MaybePromise<RedeemAnswer> }>([
    {
      name: 'throws',
      answer: () => {
        throw new Error('down')
      },
    },
    { name: 'rejects', answer: async () => Promise.reject(new Error('down')) },
    { name: 'never answers', answer: async () => new Promise(() => undefined) },
  ])('refuses where the ledger $name', async ({ answer }) => {
    const attempt = spending()
    expect(await setUp(answer).step(attempt)).toMatchObject({ ok: false, reason: 'ledger-unavailable' })
    expect(attempt.redeemed).toBeUndefined()
  })
})

describe('recordedUse()', () => {
  const recording = (started: Recorder['started']) => {
    const abandon = vi.fn<(attempt: Attempt) => void>()
    return { abandon, step: recordedUse({ started } as Recorder, 20, abandon) }
  }

  test.each<{ name: string; started: Recorder['started'] }>([
    { name: 'at once', started: () => undefined },
    { name: 'later', started: async () => undefined },
  ])('lets through what is on record $name', async ({ started }) => {
    const { abandon, step } = recording(started)
    expect(await step(spending())).toBeUndefined()
    expect(abandon).not.toHaveBeenCalled()
  })

  test.each<{ name: string; started: Recorder['started'] }>([
    {
      name: 'throws',
      started: () => {
        throw new Error('full')
      },
    },
    { name: 'rejects', started: async () => Promise.reject(new Error('full')) },
    { name: 'never answers', started: async () => new Promise(() => undefined) },
  ])('refuses where the trail $name, and abandons the use', async ({ started }) => {
    const { abandon, step } = recording(started)
    const attempt = spending()
    expect(await step(attempt)).toMatchObject({ ok: false, reason: 'audit-unavailable' })
    expect(abandon.mock.calls).toEqual([[attempt]])
  })
})
