import type { AuditDelivery, AuditEvent, SourceHead } from '@hallpass/core'
import { encodeBase64url, isIntroduction, verifySourceCheckpoint } from '@hallpass/core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fakeBroker } from '../../test/fake-broker.ts'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { AUDIENCE, ISSUER, NOW } from '../../test/test-issuer.ts'
import { brokerLedger } from '../broker-ledger.ts'
import type { ForwardingTrailOptions } from './forwarding-trail.ts'
import { forwardingTrail } from './forwarding-trail.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'hallpass-forward-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

const eventOf = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${String(n).padStart(8, '0')}`,
  type: 'use.started',
  time: NOW + n,
  source: `verifier:${AUDIENCE}#1`,
  aud: AUDIENCE,
  ...change,
})
const ids = (events: readonly AuditEvent[]) => events.map(({ id }) => id)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const idsOf = (from: number, to: number) => ids(range(from, to).map((n) => eventOf(n)))

/** As an identity provider writes one; nobody here checks its signature. */
const assertionFor = (aud: string): string => {
  const part = (value: object) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))
  return `${part({ alg: 'ES256' })}.${part({ sub: 'orders-api', aud })}.${'A'.repeat(86)}`
}

function receiver() {
  const got: AuditEvent[] = []
  const state = { away: false, asked: 0 }
  const to: AuditDelivery = {
    async deliver(events) {
      state.asked += 1
      if (state.away) throw new Error('away')
      got.push(...events)
    },
  }
  return { got, state, to }
}
const open = (to: AuditDelivery, options: Partial<ForwardingTrailOptions> = {}) =>
  forwardingTrail({ path, to, retryMs: 1, maxRetryMs: 2, durable: 'grouped', ...options })

describe('forwardingTrail()', () => {
  test('delivers in order, each with its place in the chain', async () => {
    const { got, to } = receiver()
    const trail = open(to)
    for (const n of range(1, 1200)) void trail.append(eventOf(n))
    await trail.delivered()
    expect(ids(got)).toEqual(idsOf(1, 1200))
    expect(got.map(({ origin }) => origin?.seq)).toEqual(range(1, 1200))
    expect(new Set(got.map(({ origin }) => origin?.chain)).size).toBe(1)
    expect(trail.state()).toMatchObject({ waiting: 0, failures: 0, full: false })
    await trail.close()
  })

  test('keeps what was recorded while the broker was away, over a restart', async () => {
    const { got, state, to } = receiver()
    state.away = true
    const first = open(to)
    for (const n of range(1, 1000)) void first.append(eventOf(n))
    await first.flush()
    expect(first.state()).toMatchObject({ waiting: 1000 })
    await first.close()
    state.away = false
    const second = open(to)
    void second.append(eventOf(1001))
    await second.delivered()
    expect(ids(got)).toEqual(idsOf(1, 1001))
    await second.close()
  })

  test('tries again by itself when the broker is back', async () => {
    const { got, state, to } = receiver()
    state.away = true
    const trail = open({
      async deliver(events) {
        if (state.asked >= 3) state.away = false
        await to.deliver(events)
      },
    })
    void trail.append(eventOf(1))
    await trail.delivered()
    expect(ids(got)).toEqual(idsOf(1, 1))
    expect(state.asked).toBe(4)
    await trail.close()
  })

  test('refuses when its room is used up, and not when it is delivered', async () => {
    const { state, to } = receiver()
    state.away = true
    const trail = open(to, { maxBytes: 4096, segmentBytes: 1024, maxRetryMs: 1 })
    const fill = async (): Promise<void> => {
      for (let n = 1; n < 100; n++) await trail.append(eventOf(n))
    }
    await expect(fill()).rejects.toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
    expect(trail.state().full).toBe(true)
    state.away = false
    await trail.delivered()
    await trail.append(eventOf(200))
    await trail.close()
  })

  test('sends what a broker takes, whatever a handler or request put into an event', async () => {
    const { got, to } = receiver()
    const trail = open(to)
    void trail.append(eventOf(1, { detail: `\uD800${'x'.repeat(10_000)}` }))
    void trail.append(eventOf(2, { type: 'use.ended', data: { text: 'y'.repeat(20_000) } }))
    await trail.delivered()
    expect(got[0]?.detail).toMatch(/^\uFFFDx{1000,4095}$/)
    expect(got[1]).not.toHaveProperty('data')
    expect(ids(got)).toEqual(idsOf(1, 2))
    await trail.close()
  })

  test('goes to the broker with the token and the proofs of its API, and leaves to it what it records itself', async () => {
    const broker = fakeBroker(scriptedLedger())
    const identity = { type: 'jwt-bearer' as const, clientId: 'orders-api', assertion: async () => 'assertion' }
    const ledger = brokerLedger({ issuer: ISSUER, identity, fetch: broker.fetch, clock: () => NOW })
    await ledger.redeem({
      attempt: 'ev_00000009',
      event: 'ev_00000009',
      audience: AUDIENCE,
      issuer: ISSUER,
      jti: 'gr_1',
      txn: 'tsk_1',
      clientId: 'support-bot',
      iat: NOW,
      exp: NOW + 60,
      action: 'order.read',
      resource: 'order:123',
      source: 'registered',
      limits: [],
      amounts: {},
    })
    const trail = open(ledger)
    void trail.append(eventOf(9))
    void trail.append(eventOf(1, { type: 'use.refused' }))
    await trail.delivered()
    expect(ids(broker.events)).toEqual(idsOf(1, 1))
    expect(broker.paths()).toEqual(['/token', '/redeem', '/audit'])
    await trail.close()
  })

  test('signs with the key of its requests how far it delivered, for what came before a restart too', async () => {
    const broker = fakeBroker(scriptedLedger())
    const identity = {
      type: 'jwt-bearer' as const,
      clientId: 'orders-api',
      assertion: async (audience: string) => assertionFor(audience),
    }
    const ledgerOf = () => brokerLedger({ issuer: ISSUER, identity, fetch: broker.fetch, clock: () => NOW })
    const published: string[] = []
    const checkpoint = { everyEvents: 2, introduce: true, publish: (jws: string) => void published.push(jws) }
    const first = open(ledgerOf(), { checkpoint })
    void first.append(eventOf(1))
    await first.delivered()
    void first.append(eventOf(2))
    await first.delivered()
    await vi.waitUntil(() => first.state().vouched === 2, { timeout: 20_000 })
    void first.append(eventOf(3))
    await first.delivered()
    await first.close()
    const second = open(ledgerOf(), { checkpoint })
    void second.append(eventOf(4))
    await second.delivered()
    expect(second.state()).toMatchObject({ vouched: 0 })
    await second.close()

    const told = broker.received.filter(({ path: to, body }) => to === '/audit' && body.includes('"checkpoint"'))
    const reports = told.map(({ body }) => JSON.parse(body) as { checkpoint: string; introduction: string })
    expect(reports.map((report) => report.checkpoint)).toEqual(published)
    const signed = await Promise.all(published.map(async (jws) => verifySourceCheckpoint(jws)))
    const heads = broker.events.map(({ origin }) => origin)
    expect(signed).toMatchObject(
      [2, 3, 4].map((seq) => ({
        ok: true,
        value: { source: `verifier:${AUDIENCE}`, seq, chain: heads[0]?.chain, hash: heads[seq - 1]?.hash, time: NOW },
      })),
    )
    const keys = signed.map((each) => each.ok && each.value.jkt)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
    expect(reports.map(({ introduction }, n) => isIntroduction(introduction, String(keys[n])))).toEqual([
      true,
      true,
      true,
    ])
  })

  test('signs for the rest after a while', async () => {
    const { to } = receiver()
    const heads: SourceHead[] = []
    const trail = open(
      { ...to, vouch: async (head) => (heads.push(head), 'jws') },
      { checkpoint: { everySeconds: 1, everyEvents: 1000 } },
    )
    void trail.append(eventOf(1))
    await vi.waitUntil(() => heads.length > 0, { timeout: 20_000 })
    expect(heads).toMatchObject([{ seq: 1 }])
    await trail.close()
    expect(heads).toHaveLength(1)
  })

  test('keeps delivering when a checkpoint is not taken, and covers it with the next', async () => {
    const { got, to } = receiver()
    const heads: SourceHead[] = []
    const vouch = async (head: SourceHead) => {
      heads.push(head)
      if (heads.length === 1) throw new Error('not now')
      return 'jws'
    }
    const trail = open({ ...to, vouch }, { checkpoint: { everyEvents: 1 } })
    void trail.append(eventOf(1))
    await trail.delivered()
    void trail.append(eventOf(2))
    await trail.delivered()
    await trail.close()
    expect(ids(got)).toEqual(idsOf(1, 2))
    expect(heads.at(-1)?.seq).toBe(2)
    expect(trail.state().vouched).toBe(2)
  })

  test('lets no assertion out that is for anybody but its key', async () => {
    const broker = fakeBroker(scriptedLedger())
    const identity = {
      type: 'jwt-bearer' as const,
      clientId: 'orders-api',
      assertion: async () => assertionFor(ISSUER),
    }
    const trail = open(brokerLedger({ issuer: ISSUER, identity, fetch: broker.fetch, clock: () => NOW }), {
      checkpoint: { introduce: true },
    })
    void trail.append(eventOf(1))
    await trail.delivered()
    await trail.close()
    const told = broker.received.filter(({ body }) => body.includes('"checkpoint"'))
    expect(told).toHaveLength(1)
    expect(told[0]?.body).not.toContain('introduction')
  })

  test.each([
    ['no receiver', { to: undefined as unknown as AuditDelivery }],
    ['no time between attempts', { retryMs: 0 }],
    ['half a millisecond at most', { maxRetryMs: 0.5 }],
    ['no events between checkpoints', { checkpoint: { everyEvents: 0 } }],
    ['half a second between checkpoints', { checkpoint: { everySeconds: 0.5 } }],
  ])('takes no options with %s', (_name, wrong) => {
    expect(() => open(receiver().to, wrong)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
