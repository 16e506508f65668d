import { deflateSync } from 'node:zlib'
import type { UseLedger } from '@hallpass/core'
import { memoryLedger, memoryTrail } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { scriptedLedger } from '../../test/scripted-ledger.ts'
import { orders } from '../../test/test-api.ts'
import type { GrantWish } from '../../test/test-issuer.ts'
import { ISSUER, NOW, createTestIssuer, newKeyPair, signJws } from '../../test/test-issuer.ts'
import { createVerifier } from '../index.ts'

const URI = `${ISSUER}/status/1`
const stranger = newKeyPair()

interface ListWish {
  /** Status of index 1. */
  readonly status?: number
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
  readonly signWith?: typeof stranger
}

function setUp(store?: (clock: () => number) => UseLedger) {
  const issuer = createTestIssuer()
  const state = {
    now: NOW,
    wish: {} as ListWish,
    fetched: [] as string[],
    down: false,
    contentType: 'application/statuslist+jwt',
  }
  const list = ({ status = 0, claims, header, signWith }: ListWish) => {
    const lst = deflateSync(Buffer.from([status << 1, 0])).toString('base64url')
    const payload = { iss: ISSUER, sub: URI, iat: state.now, ttl: 10, status_list: { bits: 1, lst }, ...claims }
    return signJws(
      { typ: 'statuslist+jwt', alg: 'ES256', kid: 'key-1', ...header },
      payload,
      (signWith ?? issuer.signing).privateKey,
    )
  }
  const broker = {
    issuer: ISSUER,
    jwks: issuer.jwks,
    fetch: async (request: Request) => {
      state.fetched.push(request.url)
      if (state.down) throw new TypeError('fetch failed')
      return new Response(list(state.wish), { headers: { 'content-type': state.contentType } })
    },
  }
  const ledger = scriptedLedger()
  const verifier = createVerifier({
    api: orders,
    issuer: broker,
    ledger: store?.(() => state.now) ?? ledger,
    audit: memoryTrail(),
    revocation: { maxStalenessSeconds: 30 },
    clock: () => state.now,
  })
  const ask = async ({ held, ...wish }: GrantWish & { readonly held?: string } = {}) => {
    const token =
      held ??
      issuer.grant({
        action: 'order.read',
        ...wish,
        claims: { iat: state.now - 1, exp: state.now + 100, ...wish.claims },
      })
    const headers = ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token, claims: { iat: state.now } })]
    const verdict = await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind
  }
  return { state, ledger, ask, verifier, issuer }
}

describe('a verifier whose store is its own', () => {
  test('does not rely on a list from the future of a clock that was set back', async () => {
    const { ask, state } = setUp()
    expect(await ask()).toBe('admitted')
    state.now -= 60
    state.down = true
    expect(await ask()).toBe('status-stale')
    state.down = false
    expect(await ask()).toBe('status-stale')
  })

  test('admits what the signed list calls valid, and counts the limits of the signed grant', async () => {
    const { ask, ledger, state } = setUp()
    expect([await ask(), await ask()]).toEqual(['admitted', 'admitted'])
    expect(ledger.requests.map(({ source, limits }) => [source, limits.length])).toEqual([
      ['signed', 1],
      ['signed', 1],
    ])
    expect(state.fetched).toEqual([URI])
  })

  test('spends in a memory ledger of its own exactly what the signed grant allows', async () => {
    const { ask, issuer, state } = setUp((clock) => memoryLedger({ exactFor: 'one-process', clock }))
    const limits = [{ id: 'calls', per: 'grant', max: 2 }] as const
    // A memory ledger refuses what may have been spent in its life before.
    state.now += 20
    const held = issuer.grant({ action: 'order.read', limits, claims: { iat: state.now, exp: state.now + 100 } })
    expect([await ask({ held }), await ask({ held }), await ask({ held })]).toEqual([
      'admitted',
      'admitted',
      'grant-exhausted',
    ])
  })

  test('refuses what the list calls invalid, before anything is spent', async () => {
    const { ask, ledger, state } = setUp()
    state.wish = { status: 1 }
    expect([await ask(), ledger.requests.length]).toEqual(['grant-revoked', 0])
  })

  test('sees a revocation within the bound', async () => {
    const { ask, state } = setUp()
    expect(await ask()).toBe('admitted')
    state.wish = { status: 1 }
    state.now += 11
    await ask() // the list's own ttl is over: a newer one is fetched behind this call
    await vi.waitFor(async () => expect(await ask()).toBe('grant-revoked'))
  })

  test('refuses once the last list is older than the bound', async () => {
    const { ask, state } = setUp()
    expect(await ask()).toBe('admitted')
    state.down = true
    state.now += 29
    expect(await ask()).toBe('admitted')
    state.now += 2
    expect(await ask()).toBe('status-stale')
  })

  test('counts staleness from the signed time, not from the fetch', async () => {
    const { ask, state } = setUp()
    state.wish = { claims: { iat: NOW - 31 } }
    expect(await ask()).toBe('status-stale')
  })

  test('refuses a list older than one it has seen', async () => {
    const { ask, state } = setUp()
    state.wish = { status: 1 }
    expect(await ask()).toBe('grant-revoked')
    state.wish = { claims: { iat: NOW - 5 } }
    state.now += 31
    expect(await ask()).toBe('status-stale')
  })

  test.each<{ name: string; wish: ListWish; type?: string }>([
    { name: 'another subject', wish: { claims: { sub: `${ISSUER}/status/2` } } },
    { name: 'another issuer', wish: { claims: { iss: 'https://evil.example' } } },
    { name: "a stranger's signature", wish: { signWith: stranger } },
    { name: 'a key id the issuer has not', wish: { header: { kid: 'key-9' } } },
    { name: 'another type', wish: { header: { typ: 'at+jwt' } } },
    { name: 'a time to come', wish: { claims: { iat: NOW + 60 } } },
    { name: 'an end that has passed', wish: { claims: { exp: NOW } } },
    { name: 'no list', wish: { claims: { status_list: undefined } } },
    { name: 'something that does not inflate', wish: { claims: { status_list: { bits: 1, lst: 'AAAA' } } } },
    { name: 'another content type', wish: {}, type: 'application/jwt' },
  ])('does not rely on a list with $name', async ({ wish, type }) => {
    const { ask, state, ledger } = setUp()
    state.wish = wish
    state.contentType = type ?? state.contentType
    expect([await ask(), ledger.requests.length]).toEqual(['status-stale', 0])
  })

  test('fetches nothing from another origin than the issuer', async () => {
    const { ask, state } = setUp()
    const status = { status_list: { idx: 1, uri: 'https://169.254.169.254/latest' } }
    expect([await ask({ claims: { status } }), state.fetched]).toEqual(['token-claims', []])
  })

  test('refuses an index the list has not', async () => {
    const { ask } = setUp()
    expect(await ask({ claims: { status: { status_list: { idx: 16, uri: URI } } } })).toBe('token-claims')
  })

  test('fetches once for parallel requests, and not again at once after a failure', async () => {
    const { ask, state } = setUp()
    state.down = true
    const first = await Promise.all(Array.from({ length: 20 }, async () => ask()))
    await ask()
    expect([new Set(first), state.fetched.length]).toEqual([new Set(['status-stale']), 1])
  })

  test('answers 503, so that a client keeps its good grant', async () => {
    const { verifier, issuer, state } = setUp()
    state.down = true
    const token = issuer.grant({ action: 'order.read' })
    const headers = ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token })]
    const verdict = await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
    expect(verdict.kind === 'refused' && verdict.answer().status).toBe(503)
  })
})
