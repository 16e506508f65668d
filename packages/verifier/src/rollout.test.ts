import { memoryTrail } from '@hallpass/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { RawRequest } from '../test/raw-request.ts'
import { sendRaw } from '../test/raw-request.ts'
import { read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import type { AppOptions, Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import type { TestIssuer } from '../test/test-issuer.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

const at = (seconds: number): Date => new Date(seconds * 1000)
const DAY = 86_400

describe.each(surfaces)('$name', (surface) => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })

  async function setUp(options: Omit<AppOptions, 'verifier' | 'handle'>) {
    let now = NOW
    const issuer = createTestIssuer()
    const ledger = scriptedLedger()
    const audit = memoryTrail()
    const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock: () => now })
    const runs: Run[] = []
    const app = await surface.start({ ...options, verifier, handle: (run) => (runs.push(run), { run: runs.length }) })
    open.push(() => app.close())
    return { issuer, audit, runs, ledger, port: app.port, set: (to: number) => void (now = to) }
  }

  const someoneElses = (issuer: string): string =>
    `e30.${Buffer.from(JSON.stringify({ iss: issuer })).toString('base64url')}.sig`

  const notOurs: readonly { name: string; send: (issuer: TestIssuer) => RawRequest }[] = [
    { name: 'no credential', send: () => ({ target: '/orders/123' }) },
    { name: 'Basic', send: () => ({ target: '/orders/123', headers: ['authorization', 'Basic dTpw'] }) },
    {
      name: 'an opaque Bearer token',
      send: () => ({ target: '/orders/123', headers: ['authorization', 'Bearer opaque'] }),
    },
    {
      name: "another issuer's Bearer token",
      send: () => ({
        target: '/orders/123',
        headers: ['authorization', `Bearer ${someoneElses('https://idp.example')}`],
      }),
    },
    { name: 'an opaque access_token in the query', send: () => ({ target: '/orders/123?access_token=opaque' }) },
  ]

  test.each(notOurs)('orElse gets a request with $name, on record', async ({ send }) => {
    const { issuer, audit, runs, port } = await setUp({ orElse: true })
    const reply = await sendRaw(port, send(issuer))
    expect([reply.status, runs.length]).toEqual([299, 0])
    expect((await audit.events()).map(({ type, reason }) => ({ type, reason }))).toEqual([
      { type: 'use.passed', reason: 'credential-missing' },
    ])
  })

  const ours: readonly { name: string; send: (issuer: TestIssuer) => RawRequest }[] = [
    {
      name: 'a DPoP scheme and nothing good',
      send: () => ({ target: '/orders/123', headers: ['authorization', 'DPoP x'] }),
    },
    { name: 'a DPoP field only', send: () => ({ target: '/orders/123', headers: ['dpop', 'x'] }) },
    {
      name: 'Basic and a DPoP field',
      send: () => ({ target: '/orders/123', headers: ['authorization', 'Basic dTpw', 'dpop', 'x'] }),
    },
    {
      name: 'Basic and a second Authorization field',
      send: () => ({ target: '/orders/123', headers: ['authorization', 'Basic dTpw', 'authorization', 'DPoP x'] }),
    },
    {
      name: 'a Bearer token that names our issuer',
      send: ({ issuer }) => ({ target: '/orders/123', headers: ['authorization', `Bearer ${someoneElses(issuer)}`] }),
    },
    {
      name: 'a bound grant as Bearer, its payload padded',
      send: (issuer) => {
        const [header, payload, signature] = issuer.grant().split('.')
        return { target: '/orders/123', headers: ['authorization', `Bearer ${header}.${payload}==.${signature}`] }
      },
    },
    { name: 'our token in the query', send: (issuer) => ({ target: `/orders/123?access_token=${issuer.grant()}` }) },
    {
      name: 'an expired grant',
      send: (issuer) => read(issuer, { grant: { claims: { iat: NOW - 60, exp: NOW - 1 } } }),
    },
    { name: 'a grant for another order', send: (issuer) => read(issuer, { grant: { resource: 'order:124' } }) },
  ]

  test.each(ours)('orElse never gets a request with $name', async ({ send }) => {
    const { issuer, runs, port } = await setUp({ orElse: true })
    const reply = await sendRaw(port, send(issuer))
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect([reply.json['type'] === undefined, runs.length]).toEqual([false, 0])
  })

  test('orElse leaves a request with a good grant to the handler', async () => {
    const { issuer, runs, port } = await setUp({ orElse: true })
    expect((await sendRaw(port, read(issuer))).status).toBe(200)
    expect(runs.length).toBe(1)
  })

  test('what cannot be recorded does not pass to orElse', async () => {
    const { audit, port } = await setUp({ orElse: true })
    await audit.close()
    expect((await sendRaw(port, { target: '/orders/123' })).status).toBe(503)
  })

  const wouldBeRefused: readonly { name: string; send: (issuer: TestIssuer) => RawRequest; reason: string }[] = [
    { name: 'no credential', send: () => ({ target: '/orders/123' }), reason: 'credential-missing' },
    {
      name: 'a bad credential',
      send: () => ({ target: '/orders/123', headers: ['authorization', 'DPoP x'] }),
      reason: 'proof-missing',
    },
    {
      name: 'a body nobody proved',
      send: (issuer) => refund(issuer, { proof: { body: '{"amount":"1.00"}' } }),
      reason: 'proof-body',
    },
  ]

  test.each(wouldBeRefused)(
    'observeOnlyUntil lets $name through on record, and refuses from that instant',
    async ({ send, reason }) => {
      const { issuer, audit, runs, port, set } = await setUp({ observeOnlyUntil: at(NOW + 10) })
      const before = await sendRaw(port, send(issuer))
      expect([before.status, runs.length]).toEqual([200, 1])
      expect((await audit.events()).map((event) => [event.type, event.reason])).toEqual([['use.passed', reason]])
      set(NOW + 10)
      const after = await sendRaw(port, send(issuer))
      expect([after.status >= 400, runs.length]).toEqual([true, 1])
    },
  )

  test('observeOnlyUntil hands the handler the body that would have been refused', async () => {
    const { issuer, runs, port } = await setUp({ observeOnlyUntil: at(NOW + 10) })
    await sendRaw(port, refund(issuer, { proof: { body: '{"amount":"1.00"}' } }))
    const expected = surface.name === 'express' || surface.name === 'fastify' ? { amount: '42.00' } : undefined
    expect(runs[0]?.body).toEqual(expected)
  })
})

test.each([
  { name: 'more than 90 days ahead', observeOnlyUntil: at(NOW + 91 * DAY) },
  { name: 'no date', observeOnlyUntil: new Date(Number.NaN) },
  { name: 'a date as text', observeOnlyUntil: '2026-12-01' as unknown as Date },
])('forAction() refuses an observeOnlyUntil that is $name', ({ observeOnlyUntil }) => {
  const verifier = createVerifier({
    api: orders,
    issuer: createTestIssuer(),
    ledger: scriptedLedger(),
    audit: memoryTrail(),
    clock: () => NOW,
  })
  expect(() => verifier.forAction('order.read', { observeOnlyUntil })).toThrow(
    expect.objectContaining({ code: 'configuration-invalid' }),
  )
})
