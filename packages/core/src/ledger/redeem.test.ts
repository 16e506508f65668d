import { describe, expect, test } from 'vitest'
import type { MemoryLedgerOptions } from './ledger-options.ts'
import type { GrantRecord, Outcome, RedeemAnswer, RedeemRequest } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

const START = 1_700_000_000
const SKEW = 5
const RUNNING = { ok: true, state: 'running', event: 'ev_1' } as const

/** A ledger on a fixed clock with one grant of `max` calls. */
function setUp(
  { max = 9, ...changes }: Partial<GrantRecord> & { max?: number } = {},
  options: Partial<MemoryLedgerOptions> = {},
) {
  const time = { now: START }
  const ledger = memoryLedger({
    exactFor: 'one-process',
    clock: () => time.now,
    maxSkewSeconds: SKEW,
    leaseSeconds: 30,
    ...options,
  })
  const { incarnation } = ledger
  const policy = { version: '1', digest: 'd' }
  const task = { txn: 'tsk', clientId: 'bot', owner: 'team', purpose: 'p', jkt: 'j', policy, incarnation }
  ledger.openTask(
    { ...task, identity: { iss: 'i', sub: 's' }, openedAt: START, deadline: START + 3600 },
    { maxOpenTasks: 1 },
  )
  const grant: GrantRecord = {
    issuer: 'https://broker.example',
    jti: 'gr',
    txn: 'tsk',
    clientId: 'bot',
    owner: 'team',
    audience: 'https://orders.example',
    action: 'a',
    resource: 'order:1',
    iat: START,
    exp: START + 600,
    limits: [{ id: 'calls', per: 'grant', max }],
    policy,
    status: { uri: 'u', idx: 0 },
    incarnation,
    ...changes,
  }
  const registered = ledger.registerGrant(grant)
  if (!registered.ok) throw new Error(`The scene was refused: ${registered.reason}`)
  let ids = 0
  const request = (more: Partial<RedeemRequest> = {}): RedeemRequest => {
    ids += 1
    const { issuer, jti, txn, clientId, audience, action, resource, iat, exp, limits } = grant
    const facts = { issuer, jti, txn, clientId, audience, action, resource, iat, exp, limits }
    return { ...facts, attempt: `at_${ids}`, event: `ev_${ids}`, source: 'registered', amounts: {}, ...more }
  }
  const redeem = (more: Partial<RedeemRequest> = {}) => ledger.redeem(request(more))
  const left = () => ledger.grant('gr')?.usesLeft
  return { time, ledger, grant, request, redeem, left }
}

const said = (answer: RedeemAnswer) => (answer.ok ? answer.state : answer.reason)
const reservationOf = (answer: RedeemAnswer) => (answer.ok && answer.state === 'first' ? answer.reservation : '')
const keyed = (key: string, digest = 'd') => ({ idempotency: { key, digest } })
const shown = (jti: string, more: object = {}) => ({
  proof: { jkt: 'j', jti, iat: START, acceptUntil: START + 60, ...more },
})

describe('redeem()', () => {
  test.each<{ name: string; more: Partial<RedeemRequest>; answer: string }>([
    { name: 'a key as long as it may be', more: keyed('k'.repeat(256)), answer: 'first' },
    { name: 'a longer key', more: keyed('k'.repeat(257)), answer: 'request-malformed' },
    { name: 'an empty key', more: keyed(''), answer: 'request-malformed' },
    { name: 'a proof id as long as it may be', more: shown('p'.repeat(256)), answer: 'first' },
    { name: 'a longer proof id', more: shown('p'.repeat(257)), answer: 'proof-malformed' },
    { name: 'an empty proof id', more: shown(''), answer: 'proof-malformed' },
    { name: 'a proof that is over now', more: shown('p', { acceptUntil: START }), answer: 'proof-time' },
    { name: 'a proof that is over in a moment', more: shown('p', { acceptUntil: START + 0.001 }), answer: 'first' },
    { name: 'a proof for as long as marks last', more: shown('p', { acceptUntil: START + 70 }), answer: 'first' },
    { name: 'a proof for longer', more: shown('p', { acceptUntil: START + 70.001 }), answer: 'proof-time' },
    { name: 'a proof without an end', more: shown('p', { acceptUntil: Number.NaN }), answer: 'proof-time' },
    { name: 'a grant nobody registered', more: { jti: 'other' }, answer: 'grant-unknown' },
    {
      name: 'a signed one beside those that are registered',
      more: { jti: 'other', source: 'signed' },
      answer: 'grant-unknown',
    },
    { name: 'one nobody registered, that is over', more: { jti: 'other', exp: START }, answer: 'token-expired' },
    {
      name: 'one nobody registered, in its last moment',
      more: { jti: 'other', exp: START + 1 },
      answer: 'grant-unknown',
    },
    { name: 'one older than this ledger', more: { jti: 'other', iat: START - 1 }, answer: 'incarnation-mismatch' },
    {
      name: 'one older than this ledger, that is over',
      more: { jti: 'other', iat: START - 1, exp: START },
      answer: 'token-expired',
    },
  ])('says of $name: $answer', ({ more, answer }) => {
    const { redeem, left } = setUp()
    expect(said(redeem(more))).toBe(answer)
    expect(left()).toBe(answer === 'first' ? 8 : 9)
  })

  test('tells what is left and since when, and counts by action', () => {
    const { ledger, redeem } = setUp({ max: 2 })
    expect([redeem(), redeem()]).toMatchObject([
      { ok: true, state: 'first', at: START, usesLeft: 1 },
      { ok: true, state: 'first', at: START, usesLeft: 0 },
    ])
    expect(ledger.task('tsk')?.uses).toEqual({ a: 2 })
    expect(said(redeem())).toBe('grant-exhausted')
    expect(ledger.task('tsk')?.uses).toEqual({ a: 2 })
  })

  test('tells an attempt that is sent again the same, until its lease is over', () => {
    const { time, request, ledger, left } = setUp()
    for (const again of [request(), request({ attempt: 'ev', event: 'ev' }), request(keyed('k'))]) {
      const first = ledger.redeem(again)
      expect([said(first), ledger.redeem(again)]).toEqual(['first', first])
    }
    expect(left()).toBe(6)
    const last = request({ attempt: 'last', event: 'last' })
    const first = ledger.redeem(last)
    time.now += 29.9
    expect(ledger.redeem(last)).toEqual(first)
    time.now += 0.1
    expect(ledger.redeem(last)).toEqual({ ok: true, state: 'unknown', event: 'last' })
  })

  const same = { attempt: 'at', event: 'ev', ...keyed('k') }
  test.each<{ name: string; first: Partial<RedeemRequest>; other: Partial<RedeemRequest> }>([
    { name: 'another event', first: same, other: { ...same, event: 'other' } },
    {
      name: 'another event, without a key',
      first: { attempt: 'at', event: 'ev' },
      other: { attempt: 'at', event: 'other' },
    },
    {
      name: 'another key, under its own event',
      first: { ...same, event: 'at' },
      other: { ...same, event: 'at', ...keyed('other') },
    },
    { name: 'another key', first: same, other: { ...same, ...keyed('other') } },
    { name: 'another digest', first: same, other: { ...same, ...keyed('k', 'other') } },
    { name: 'no key', first: same, other: { attempt: 'at', event: 'ev' } },
    { name: 'a key', first: { attempt: 'at', event: 'ev' }, other: same },
    {
      name: 'another event than its own',
      first: { attempt: 'at', event: 'at' },
      other: { attempt: 'at', event: 'ev' },
    },
    { name: 'a key beside its own event', first: { attempt: 'at', event: 'at' }, other: { ...same, event: 'at' } },
  ])('takes the id of an attempt with $name for another request, while it runs and after', ({ first, other }) => {
    const { ledger, redeem, left } = setUp()
    const answer = redeem(first)
    expect(said(redeem(other))).toBe('idempotency-conflict')
    ledger.settle(reservationOf(answer), { status: 200 })
    expect([said(redeem(other)), said(redeem(first)), left()]).toEqual(['idempotency-conflict', 'done', 8])
  })

  test('answers an attempt sent again with its own proof, and nobody else with it', () => {
    const { request, redeem, ledger } = setUp({ max: 1 })
    const proof = shown('p')
    expect(said(redeem())).toBe('first')
    const refused = request(proof)
    expect([said(ledger.redeem(refused)), said(ledger.redeem(refused))]).toEqual(['grant-exhausted', 'grant-exhausted'])
    expect(said(redeem(proof))).toBe('proof-replayed')
  })

  test('takes one proof id once per key, for a grant that is bound to none too', () => {
    const { redeem } = setUp()
    const others = [shown('p'), shown('p', { jkt: 'other' }), shown('p'), shown('p', { jkt: 'other' })]
    expect(others.map((proof) => said(redeem(proof)))).toEqual(['first', 'first', 'proof-replayed', 'proof-replayed'])
  })

  test('takes one proof id once for two grants of one key', () => {
    const { ledger, grant, request, redeem } = setUp({ jkt: 'j' })
    expect(said(redeem(shown('p')))).toBe('first')
    ledger.registerGrant({ ...grant, jti: 'other' })
    expect(said(ledger.redeem(request({ jti: 'other', ...shown('p') })))).toBe('proof-replayed')
    expect(said(ledger.redeem(request({ jti: 'other', ...shown('q') })))).toBe('first')
  })

  test('a key that belongs to another request conflicts, though the uses are up', () => {
    const { redeem } = setUp({ max: 1 })
    expect(redeem({ event: 'ev_1', ...keyed('k') })).toMatchObject({ state: 'first' })
    expect([redeem(keyed('k')), said(redeem(keyed('k', 'other'))), said(redeem(keyed('other')))]).toEqual([
      RUNNING,
      'idempotency-conflict',
      'grant-exhausted',
    ])
  })

  test('remembers nothing of the task of a signed grant where there is no key', () => {
    const time = { now: START }
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => time.now, maxTaskSeconds: 60 })
    time.now += 10
    const { request } = setUp()
    const signed = { source: 'signed', jti: 'signed', iat: START + 10, exp: START + 100 } as const
    expect(said(ledger.redeem(request(signed)))).toBe('first')
    expect(said(ledger.redeem(request({ ...signed, ...keyed('k') })))).toBe('lifetime-exceeded')
  })

  test('a retry after the lease finds its use unknown', () => {
    const { time, redeem } = setUp()
    redeem({ event: 'ev_1', ...keyed('k') })
    time.now += 29
    expect(redeem(keyed('k'))).toEqual(RUNNING)
    time.now += 1
    expect(redeem(keyed('k'))).toEqual({ ...RUNNING, state: 'unknown' })
  })
})

describe('settle()', () => {
  test.each<{ name: string; outcome: Outcome; kept: Outcome; chars: number }>([
    { name: 'a status', outcome: { status: 204 }, kept: { status: 204 }, chars: 0 },
    { name: 'a type', outcome: { status: 200, contentType: 't' }, kept: { status: 200, contentType: 't' }, chars: 0 },
    { name: 'a body', outcome: { status: 200, body: 'b' }, kept: { status: 200, body: 'b' }, chars: 1 },
    { name: 'an empty body', outcome: { status: 200, body: '' }, kept: { status: 200, body: '' }, chars: 0 },
    {
      name: 'the longest body',
      outcome: { status: 200, contentType: 't', body: 'x'.repeat(16_384) },
      kept: { status: 200, contentType: 't', body: 'x'.repeat(16_384) },
      chars: 16_384,
    },
    {
      name: 'no longer body',
      outcome: { status: 200, contentType: 't', body: 'x'.repeat(16_385) },
      kept: { status: 200, contentType: 't' },
      chars: 0,
    },
  ])('keeps $name for a retry', ({ outcome, kept, chars }) => {
    const { ledger, redeem } = setUp()
    ledger.settle(reservationOf(redeem({ event: 'ev_1', ...keyed('k') })), outcome)
    expect(redeem(keyed('k'))).toEqual({ ok: true, state: 'done', event: 'ev_1', outcome: kept })
    expect(ledger.sizes()['outcomeChars']).toBe(chars)
  })

  test('keeps no body that nobody can ask for', () => {
    const { ledger, request } = setUp()
    const bare = request()
    ledger.settle(reservationOf(ledger.redeem(bare)), { status: 200, contentType: 't', body: 'b' })
    expect(ledger.redeem(bare)).toMatchObject({ state: 'done', outcome: { status: 200, contentType: 't' } })
    expect(ledger.redeem(bare)).not.toHaveProperty('outcome.body')
    expect(ledger.sizes()['outcomeChars']).toBe(0)
  })

  test('keeps no body of a use without a key beside one with a key', () => {
    const { ledger, request, redeem } = setUp()
    redeem(keyed('k'))
    const bare = request()
    ledger.settle(reservationOf(ledger.redeem(bare)), { status: 200, body: 'b' })
    expect(ledger.redeem(bare)).toEqual({ ok: true, state: 'done', event: bare.event, outcome: { status: 200 } })
    expect(ledger.sizes()['outcomeChars']).toBe(0)
  })

  test('keeps bodies up to what all of them may take', () => {
    const most = 64 * 1024 * 1024
    const { ledger, redeem } = setUp({ max: 5000 })
    const body = 'x'.repeat(16_384)
    for (let n = 0; n < most / body.length - 1; n += 1) {
      ledger.settle(reservationOf(redeem(keyed(`k${n}`))), { status: 200, body })
    }
    const keep = (key: string, length: number) => {
      ledger.settle(reservationOf(redeem(keyed(key))), { status: 200, body: body.slice(0, length) })
      return 'body' in (redeem(keyed(key)) as unknown as { outcome: object }).outcome
    }
    expect([keep('over', body.length), keep('more', 1)]).toEqual([true, false])
    expect(ledger.sizes()['outcomeChars']).toBe(most)
  })
})

describe('giveBack()', () => {
  test('frees the key with the use, and what the actions were counted', () => {
    const { ledger, redeem, left } = setUp()
    const answer = redeem(keyed('k'))
    const bare = redeem()
    expect(ledger.sizes()['repeats']).toBe(1)
    expect([ledger.giveBack(reservationOf(answer), 'x'), ledger.giveBack(reservationOf(bare), 'x')]).toEqual([
      true,
      true,
    ])
    expect([ledger.sizes()['repeats'], ledger.task('tsk')?.uses ?? {}, left()]).toEqual([0, {}, 9])
    expect(said(redeem(keyed('k')))).toBe('first')
  })

  test('is too late in the moment the lease is over', () => {
    const { time, ledger, redeem, left } = setUp()
    const [early, late] = [redeem(), redeem()].map(reservationOf)
    time.now += 29.999
    expect(ledger.giveBack(early ?? '', 'x')).toBe(true)
    time.now += 0.001
    expect([ledger.giveBack(late ?? '', 'x'), left()]).toEqual([false, 8])
  })
})
