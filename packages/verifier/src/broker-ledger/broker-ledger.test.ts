import type { RedeemRequest, TokenSource } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import type { Trouble } from '../../test/fake-broker.ts'
import { fakeBroker } from '../../test/fake-broker.ts'
import { createLiveLedger } from '../../test/live-ledger.ts'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import { AUDIENCE, ISSUER, NOW, createTestIssuer } from '../../test/test-issuer.ts'
import { createVerifier, protect } from '../index.ts'
import { brokerLedger } from './broker-ledger.ts'

const identity: TokenSource = {
  type: 'jwt-bearer',
  clientId: 'orders-api',
  assertion: async (audience) => `assertion for ${audience}`,
}

const request = (attempt: string): RedeemRequest => ({
  attempt,
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
  event: attempt,
})

function setUp(options: { trouble?: Trouble; nonce?: string; timeoutMs?: number } = {}) {
  const { timeoutMs = 2000, ...rest } = options
  const store = scriptedLedger()
  const broker = fakeBroker(store, rest)
  const ledger = brokerLedger({ issuer: ISSUER, identity, fetch: broker.fetch, timeoutMs, clock: () => NOW })
  return { store, broker, ledger }
}

const failOnce = (path: string, fail: () => Response | Promise<Response>): Trouble => {
  let failed = false
  return (received) => {
    if (failed || received.path !== path) return undefined
    failed = true
    return fail()
  }
}
const networkDown = async () => Promise.reject(new TypeError('fetch failed'))

describe('brokerLedger()', () => {
  test('redeems, settles and gives back under one token of its own', async () => {
    const { ledger, store, broker } = setUp()
    const answer = await ledger.redeem(request('ev_00000001'))
    await ledger.settle('res_1', { status: 200 })
    expect([answer, await ledger.giveBack('res_1', 'nothing done')]).toMatchObject([
      { ok: true, state: 'first', reservation: 'res_1' },
      true,
    ])
    expect([store.settled, store.givenBack]).toEqual([
      [{ reservation: 'res_1', outcome: { status: 200 } }],
      [{ reservation: 'res_1', reason: 'nothing done' }],
    ])
    expect(broker.paths()).toEqual(['/token', '/redeem', '/redeem', '/redeem'])
    expect(broker.received[0]?.body).toContain('grant_type=client_credentials')
  })

  test('joins what one turn of the event loop asks for', async () => {
    const { ledger, broker } = setUp()
    await ledger.redeem(request('ev_warm0000'))
    const before = broker.received.length
    const answers = await Promise.all(
      Array.from({ length: 150 }, async (_, index) => ledger.redeem(request(`ev_batch${index}000`))),
    )
    expect(answers.every((answer) => answer.ok)).toBe(true)
    expect(broker.received.length - before).toBe(1)
  })

  test('sends the same attempts once more after a network failure, under a fresh proof', async () => {
    const { ledger, broker } = setUp({ trouble: failOnce('/redeem', networkDown) })
    expect(await ledger.redeem(request('ev_00000001'))).toMatchObject({ ok: true, state: 'first' })
    const [first, second] = broker.received.filter(({ path }) => path === '/redeem')
    expect(second?.body).toBe(first?.body)
    expect(second?.jti).not.toBe(first?.jti)
  })

  test.each<{ name: string; trouble: Trouble }>([
    { name: 'cannot be reached', trouble: ({ path }) => (path === '/redeem' ? networkDown() : undefined) },
    {
      name: 'gives no token',
      trouble: ({ path }) =>
        path === '/token' ? Response.json({ error: 'invalid_client' }, { status: 401 }) : undefined,
    },
    { name: 'is down', trouble: ({ path }) => (path === '/redeem' ? new Response(null, { status: 503 }) : undefined) },
    { name: 'says nothing of JSON', trouble: ({ path }) => (path === '/redeem' ? new Response('ok') : undefined) },
    {
      name: 'answers with a permit of another shape',
      trouble: ({ path }) => (path === '/redeem' ? Response.json({ answers: [{ ok: true }] }) : undefined),
    },
    {
      name: 'answers with an unknown state',
      trouble: ({ path }) =>
        path === '/redeem' ? Response.json({ answers: [{ ok: true, state: 'fine', event: 'ev_1' }] }) : undefined,
    },
    {
      name: 'answers with an unknown reason',
      trouble: ({ path }) =>
        path === '/redeem' ? Response.json({ answers: [{ ok: false, reason: 'because' }] }) : undefined,
    },
    {
      name: 'answers fewer calls than it was sent',
      trouble: ({ path }) => (path === '/redeem' ? Response.json({ answers: [] }) : undefined),
    },
    {
      name: 'redirects',
      trouble: ({ path }) =>
        path === '/redeem'
          ? new Response(null, { status: 307, headers: { location: 'https://evil.example' } })
          : undefined,
    },
  ])('refuses when the broker $name', async ({ trouble }) => {
    const { ledger } = setUp({ trouble })
    expect(await ledger.redeem(request('ev_00000001'))).toMatchObject({ ok: false, reason: 'ledger-unavailable' })
  })

  test('refuses when the broker is late', async () => {
    const hang: Trouble = async ({ path }) =>
      path === '/redeem' ? new Promise<Response>(() => undefined) : (undefined as never)
    const broker = fakeBroker(scriptedLedger(), { trouble: hang })
    const fetch = async (url: string, init: RequestInit) =>
      Promise.race([
        broker.fetch(url, init),
        new Promise<never>((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted')))),
      ])
    const ledger = brokerLedger({ issuer: ISSUER, identity, fetch, timeoutMs: 20, clock: () => NOW })
    expect(await ledger.redeem(request('ev_00000001'))).toMatchObject({ ok: false, reason: 'ledger-unavailable' })
  })

  test('asks for a new token where the broker forgot the old one', async () => {
    const { ledger, broker } = setUp()
    await ledger.redeem(request('ev_00000001'))
    broker.forgetToken()
    expect(await ledger.redeem(request('ev_00000002'))).toMatchObject({ ok: true })
    expect(broker.paths()).toEqual(['/token', '/redeem', '/redeem', '/token', '/redeem'])
  })

  test('takes the nonce it is given', async () => {
    const { ledger } = setUp({ nonce: 'n-1' })
    expect(await ledger.redeem(request('ev_00000001'))).toMatchObject({ ok: true })
  })

  test('an outcome that the broker did not take is an error, not a silence', async () => {
    const { ledger } = setUp({
      trouble: ({ path }) => (path === '/redeem' ? new Response(null, { status: 500 }) : undefined),
    })
    await expect(ledger.settle('res_1', { status: 200 })).rejects.toThrow(
      expect.objectContaining({ code: 'ledger-unavailable' }),
    )
  })

  test('leaves uses to the broker, which records them itself, and sends the rest', async () => {
    const { ledger, broker } = setUp()
    const event = { time: NOW, source: `verifier:${AUDIENCE}#1`, aud: AUDIENCE }
    await ledger.redeem(request('ev_00000001'))
    await ledger.append({ ...event, id: 'ev_00000001', type: 'use.started' })
    await ledger.append({ ...event, id: 'ev_00000002', type: 'use.ended', follows: 'ev_00000001', status: 200 })
    await ledger.append({ ...event, id: 'ev_00000003', type: 'use.refused', reason: 'resource-mismatch' })
    await ledger.append({ ...event, id: 'ev_00000004', type: 'use.started' })
    expect(broker.events.map(({ id }) => id)).toEqual(['ev_00000003', 'ev_00000004'])
  })

  test('closed, it records nothing', async () => {
    const { ledger } = setUp()
    await ledger.close()
    const event = { id: 'ev_00000001', type: 'use.refused', time: NOW, source: 'verifier:x' } as const
    await expect(ledger.append(event)).rejects.toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
  })

  test('behind a verifier leaves exactly as many handler runs as there are uses', async () => {
    const issuer = createTestIssuer()
    const live = createLiveLedger()
    const broker = fakeBroker(live.ledger)
    const ledger = brokerLedger({ issuer: ISSUER, identity, fetch: broker.fetch, clock: () => NOW })
    const verifier = createVerifier({ api: orders, issuer, ledger, audit: ledger, clock: () => NOW })
    const token = issuer.grant({ action: 'order.read', limits: [{ id: 'calls', per: 'grant', max: 7 }] })
    await live.register(token)
    let runs = 0
    const handler = protect(verifier, 'order.read', () => {
      runs += 1
      return new Response(null, { status: 204 })
    })
    const requests = Array.from({ length: 200 }, () => {
      const headers = { authorization: `DPoP ${token}`, dpop: issuer.proof({ token }) }
      return handler(new Request(`${AUDIENCE}/orders/123`, { headers }))
    })
    const statuses = (await Promise.all(requests)).map(({ status }) => status)
    expect([runs, statuses.filter((status) => status === 204).length]).toEqual([7, 7])
    await verifier.flush()
  })

  test.each([
    { name: 'an issuer over http', options: { issuer: 'http://broker.example', identity } },
    { name: 'no identity', options: { issuer: ISSUER, identity: undefined as never } },
  ])('refuses to exist with $name', ({ options }) => {
    expect(() => brokerLedger(options)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
