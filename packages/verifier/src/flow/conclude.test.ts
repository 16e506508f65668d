import type { MaybePromise, RefusalReason, Refused } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import { NOW, createTestIssuer } from '../../test/test-issuer.ts'
import type { Observation } from '../audit/observer.ts'
import type { Recorder } from '../audit/recorder.ts'
import { planAction } from '../call/planned-action.ts'
import type { NonceSource } from '../proof/nonce-source.ts'
import { createAnswers } from '../refusal/answers.ts'
import type { CheckedRollout } from '../rollout.ts'
import { GenuineToken } from '../token/genuine-token.ts'
import type { Verdict } from '../verdict.ts'
import { Attempt } from './attempt.ts'
import { createConclude } from './conclude.ts'

const issuer = createTestIssuer()
const ENFORCED: CheckedRollout = { orElse: false, observing: () => false }
const refusal = (reason: RefusalReason): Refused<RefusalReason> => ({ ok: false, reason, detail: 'For the operator' })

function setUp(more: { nonces?: NonceSource; recording?: () => MaybePromise<void>; blind?: true } = {}) {
  const { nonces, recording = () => undefined } = more
  const recorded: unknown[][] = []
  const observed: Observation[] = []
  const note =
    (what: string) =>
    (_: Attempt, ...facts: unknown[]) => (recorded.push([what, ...facts]), recording())
  const recorder = {
    repeated: note('repeated'),
    passed: note('passed'),
    refused: (_: Attempt, ...facts: unknown[]) => (recorded.push(['refused', ...facts]), 'ev_refused'),
  } as unknown as Recorder
  const observe = more.blind ? undefined : (observation: Observation) => void observed.push(observation)
  const keeper = { ledger: scriptedLedger(), recorder, clock: () => NOW, track: () => undefined, observe }
  const answers = createAnswers(['ES256'], 'https://orders.example/metadata')
  const conclude = createConclude({ recorder, keeper, answers, nonces, nextId: () => 'ev_next', observe })
  return { conclude, recorded, observed }
}

function attemptOf(more: Partial<Attempt> = {}): Attempt {
  const call = { method: 'GET', target: '/orders/123', headers: [] }
  const attempt = new Attempt(planAction(orders, 'order.read'), call, { clock: () => NOW, sharesRoute: false })
  const key = { kid: 'key-1', algorithm: 'ES256', key: {} as never, live: true }
  const token = new GenuineToken('a.b.c', issuer.grantClaims() as never, { key, skewSeconds: 5 })
  return Object.assign(attempt, { event: 'ev_1', token, ...more })
}

type Repeats = NonNullable<Attempt['repeats']>

const done = (body?: string, contentType?: string): Repeats => ({
  ok: true,
  state: 'done',
  event: 'ev_0',
  outcome: {
    status: 201,
    ...(contentType === undefined ? {} : { contentType }),
    ...(body === undefined ? {} : { body }),
  },
})
const answerOf = (verdict: Verdict) => ('answer' in verdict ? verdict.answer() : undefined)

describe('createConclude()', () => {
  test('admits what no step refused, and tells so', async () => {
    const { conclude, recorded, observed } = setUp()
    const verdict = await conclude(
      attemptOf({ redeemed: { ok: true, state: 'first', reservation: 'r', at: 1, usesLeft: 0 } }),
      undefined,
      ENFORCED,
    )
    expect([verdict.kind, recorded]).toEqual(['admitted', []])
    expect(observed).toEqual([{ kind: 'admitted', action: 'order.read', event: 'ev_1' }])
  })

  test('admits nothing that was refused, however it looks', async () => {
    const { conclude } = setUp()
    const attempt = attemptOf({ redeemed: { ok: true, state: 'first', reservation: 'r', at: 1, usesLeft: 0 } })
    expect((await conclude(attempt, refusal('internal'), ENFORCED)).kind).toBe('refused')
  })

  test('puts a refusal on record under its reason, and tells so', async () => {
    const { conclude, recorded, observed } = setUp()
    const verdict = await conclude(attemptOf(), refusal('token-expired'), ENFORCED)
    expect(verdict).toMatchObject({ kind: 'refused', ok: false, reason: 'token-expired', event: 'ev_refused' })
    expect(recorded).toEqual([['refused', 'token-expired', 'For the operator']])
    expect(observed).toEqual([{ kind: 'refused', action: 'order.read', event: 'ev_refused', reason: 'token-expired' }])
    expect(answerOf(verdict)).toMatchObject({ status: 401 })
  })

  test.each<[RefusalReason, string | undefined]>([
    ['proof-nonce', `nonce at ${NOW}`],
    ['proof-malformed', undefined],
  ])('hands out a nonce with %s: %s', async (reason, nonce) => {
    const { conclude } = setUp({ nonces: { current: (now) => `nonce at ${now}`, accepts: () => true } })
    const verdict = await conclude(attemptOf(), refusal(reason), ENFORCED)
    expect(answerOf(verdict)?.headers['dpop-nonce']).toBe(nonce)
  })

  test('refuses for want of a nonce also where there is no source of them', async () => {
    const { conclude } = setUp()
    const verdict = await conclude(attemptOf(), refusal('proof-nonce'), ENFORCED)
    expect(answerOf(verdict)).toMatchObject({ status: 401 })
  })

  test.each<{ name: string; repeats: Repeats; kind: string }>([
    { name: 'a recorded body', repeats: done('{"a":1}'), kind: 'repeated' },
    { name: 'an empty body', repeats: done(''), kind: 'repeated' },
    { name: 'no body', repeats: done(), kind: 'refused' },
    { name: 'a use that runs', repeats: { ok: true, state: 'running', event: 'ev_0' }, kind: 'refused' },
    { name: 'a use without a known end', repeats: { ok: true, state: 'unknown', event: 'ev_0' }, kind: 'refused' },
  ])('says of a repeat with $name: $kind', async ({ repeats, kind }) => {
    const { conclude } = setUp()
    const attempt = attemptOf({ repeats })
    expect((await conclude(attempt, refusal('idempotency-done'), ENFORCED)).kind).toBe(kind)
  })

  test.each([
    [undefined, {}],
    ['text/plain', { 'content-type': 'text/plain' }],
  ])('gives the recorded answer again, its type being %s', async (contentType, headers) => {
    const { conclude, recorded, observed } = setUp()
    const verdict = await conclude(
      attemptOf({ repeats: done('x', contentType) }),
      refusal('idempotency-done'),
      ENFORCED,
    )
    expect(verdict).toMatchObject({ kind: 'repeated', ok: false, event: 'ev_1' })
    expect(answerOf(verdict)).toStrictEqual({
      status: 201,
      headers: { 'idempotency-replayed': 'true', 'cache-control': 'no-store', ...headers },
      body: 'x',
    })
    expect(recorded).toEqual([['repeated', 'ev_0']])
    expect(observed).toEqual([{ kind: 'repeated', action: 'order.read', event: 'ev_1' }])
  })

  describe('in a rollout', () => {
    const orElse: CheckedRollout = { ...ENFORCED, orElse: true }
    const observing: CheckedRollout = { ...ENFORCED, observing: (now) => now === NOW }

    test.each<{ name: string; rollout: CheckedRollout; reason: RefusalReason; by: string | undefined }>([
      { name: 'another authentication', rollout: orElse, reason: 'credential-missing', by: 'or-else' },
      { name: 'another authentication', rollout: orElse, reason: 'credential-malformed', by: undefined },
      { name: 'another authentication', rollout: orElse, reason: 'audit-unavailable', by: undefined },
      { name: 'no exception', rollout: ENFORCED, reason: 'credential-missing', by: undefined },
      { name: 'observation', rollout: observing, reason: 'credential-missing', by: 'observe' },
      { name: 'observation', rollout: observing, reason: 'proof-replayed', by: 'observe' },
      { name: 'both', rollout: { ...observing, orElse: true }, reason: 'credential-missing', by: 'observe' },
    ])('$name lets $reason through: $by', async ({ rollout, reason, by }) => {
      const { conclude, recorded, observed } = setUp()
      const bytes = new Uint8Array([1])
      const attempt = attemptOf({ body: bytes })
      const verdict = await conclude(attempt, refusal(reason), rollout)
      const passed = { kind: 'passed', ok: false, by, reason, event: 'ev_next', bytes }
      const refused = { kind: 'refused', ok: false, reason, event: 'ev_refused' }
      expect(verdict).toMatchObject(by === undefined ? refused : passed)
      expect(recorded[0]?.slice(0, 2)).toEqual([by === undefined ? 'refused' : 'passed', reason])
      expect([recorded.length, observed.map(({ kind, event }) => [kind, event])]).toEqual([
        1,
        [by === undefined ? ['refused', 'ev_refused'] : ['passed', 'ev_next']],
      ])
      expect(attempt.event).toBe(by === undefined ? 'ev_1' : 'ev_next')
      expect(recorded[0]?.[2]).toMatch(by === undefined ? /operator/ : by === 'observe' ? /observed/ : /authentication/)
    })

    test('observation gives no recorded answer in place of the handler', async () => {
      const { conclude } = setUp()
      const verdict = await conclude(attemptOf({ repeats: done('x') }), refusal('idempotency-done'), observing)
      expect(verdict.kind).toBe('passed')
    })

    const unwritten: { name: string; recording: () => MaybePromise<void> }[] = [
      {
        name: 'throws',
        recording: () => {
          throw new Error('full')
        },
      },
      { name: 'rejects', recording: async () => Promise.reject(new Error('full')) },
    ]
    test.each(unwritten)('lets nothing through and repeats nothing where the trail $name', async ({ recording }) => {
      for (const [attempt, rollout] of [
        [attemptOf(), observing],
        [attemptOf({ repeats: done('x') }), ENFORCED],
      ] as const) {
        const { conclude, observed } = setUp({ recording })
        const verdict = await conclude(attempt, refusal('idempotency-done'), rollout)
        expect(verdict).toMatchObject({ kind: 'refused', reason: 'audit-unavailable' })
        expect(observed.map(({ kind }) => kind)).toEqual(['refused'])
      }
    })

    test('waits until it is on record', async () => {
      const { conclude, observed } = setUp({ recording: async () => undefined })
      const verdict = conclude(attemptOf(), refusal('proof-time'), observing)
      expect([isPromise(verdict), observed]).toEqual([true, []])
      expect([(await verdict).kind, observed.length]).toEqual(['passed', 1])
    })
  })

  test('does the same where nobody observes', async () => {
    const { conclude } = setUp({ blind: true })
    const first = { ok: true, state: 'first', reservation: 'r', at: 1, usesLeft: 0 } as const
    expect([
      (await conclude(attemptOf({ redeemed: first }), undefined, ENFORCED)).kind,
      (await conclude(attemptOf(), refusal('proof-time'), ENFORCED)).kind,
      (await conclude(attemptOf({ repeats: done('x') }), refusal('idempotency-done'), ENFORCED)).kind,
    ]).toEqual(['admitted', 'refused', 'repeated'])
  })

  test.each([
    ['', false],
    ['order:123', true],
  ])('names what to ask for only where the resource was told: %j', async (resource, told) => {
    const { conclude } = setUp()
    const verdict = await conclude(attemptOf({ resource }), refusal('resource-mismatch'), ENFORCED)
    const details = (JSON.parse(answerOf(verdict)?.body ?? '{}') as Record<string, unknown>)['authorization_details']
    expect(details !== undefined).toBe(told)
    expect(JSON.stringify(details ?? 'order:123')).toContain('order:123')
  })

  test('has a detail only where the refusal has one', async () => {
    const { conclude } = setUp()
    const [plain, detailed] = [
      await conclude(attemptOf(), { ok: false, reason: 'proof-time' }, ENFORCED),
      await conclude(attemptOf(), refusal('proof-time'), ENFORCED),
    ]
    expect(plain).not.toHaveProperty('detail')
    expect(detailed).toHaveProperty('detail', 'For the operator')
  })
})
