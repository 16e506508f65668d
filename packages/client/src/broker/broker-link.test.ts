import { describe, expect, test } from 'vitest'
import { changed, desk, task } from '../../test/desk.ts'
import type { Tap } from '../../test/desk.ts'
import { metadataUrl } from './discover.ts'

const wellKnown = '/.well-known/oauth-authorization-server'
const opened = async (tap: Tap, options: Parameters<typeof desk>[0] = {}) => {
  const { client, sent } = desk({ ...options, tap })
  return { outcome: await client.task(task, async () => 'opened'), sent }
}

describe('metadataUrl()', () => {
  test.each([
    ['https://broker.test', 'https://broker.test/.well-known/oauth-authorization-server'],
    ['https://broker.test/', 'https://broker.test/.well-known/oauth-authorization-server'],
    ['https://acme.test/broker', 'https://acme.test/.well-known/oauth-authorization-server/broker'],
  ])('metadataUrl() of %s', (issuer, url) => {
    expect(metadataUrl(issuer)).toBe(url)
  })
})

describe('discovery', () => {
  test.each<[string, Record<string, unknown>]>([
    ['another issuer', { issuer: 'https://evil.test' }],
    ['an issuer that differs by a slash', { issuer: 'https://broker.test/' }],
    ['a token endpoint elsewhere', { token_endpoint: 'https://evil.test/token' }],
    ['a token endpoint over http', { token_endpoint: 'http://broker.test/token' }],
    ['no token endpoint', { token_endpoint: undefined }],
    ['a revocation endpoint elsewhere', { revocation_endpoint: 'https://broker.test.evil.test/revoke' }],
    ['no DPoP', { dpop_signing_alg_values_supported: undefined }],
    ['another DPoP algorithm', { dpop_signing_alg_values_supported: ['RS256'] }],
  ])('metadata with %s is not used', async (_name, members) => {
    const { outcome, sent } = await opened(async (request, next) => {
      const response = await next(request)
      return request.url.endsWith(wellKnown) ? changed(response, members) : response
    })
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-answer-invalid' })
    expect(sent).toHaveLength(1)
  })

  test.each<[string, Response, string]>([
    ['a redirect', Response.redirect('https://evil.test/', 302), 'broker-answer-invalid'],
    ['no JSON', new Response('<html>'), 'broker-answer-invalid'],
    ['a list', Response.json([]), 'broker-answer-invalid'],
    [
      'a member twice',
      new Response('{"issuer":"https://broker.test","issuer":"https://evil.test"}'),
      'broker-answer-invalid',
    ],
    ['far too much', new Response('x'.repeat(70_000)), 'broker-answer-invalid'],
    ['404', new Response(null, { status: 404 }), 'broker-answer-invalid'],
    ['503', new Response(null, { status: 503 }), 'broker-unavailable'],
    ['429', new Response(null, { status: 429 }), 'broker-unavailable'],
  ])('an answer of %s opens nothing', async (_name, response, reason) => {
    const { outcome, sent } = await opened(async () => response)
    expect(outcome).toMatchObject({ ok: false, reason })
    expect(sent).toHaveLength(1)
  })

  test('a broker that was away is asked again the next time, and one that was found is not', async () => {
    const { client, setTap, to } = desk()
    setTap(() => Promise.reject(new Error('down')))
    expect(await client.task(task, async () => true)).toMatchObject({ ok: false, reason: 'broker-unavailable' })
    setTap((request, next) => next(request))
    for (const _ of [1, 2]) expect(await client.task(task, async () => true)).toBe(true)
    expect(to(wellKnown)).toHaveLength(2)
  })
})

describe('the token endpoint', () => {
  const at =
    (answer: () => Promise<Response>): Tap =>
    (request, next) =>
      request.url.endsWith('/token') ? answer() : next(request)

  test.each<[string, () => Promise<Response>, string]>([
    ['nothing at all', () => new Promise(() => {}), 'broker-unavailable'],
    ['a broken connection', () => Promise.reject(new TypeError('reset')), 'broker-unavailable'],
    ['503', async () => new Response(null, { status: 503 }), 'broker-unavailable'],
    ['429', async () => new Response(null, { status: 429 }), 'broker-unavailable'],
    ['a redirect', async () => Response.redirect('https://evil.test/', 307), 'broker-answer-invalid'],
    ['200 without a token', async () => Response.json({}), 'broker-answer-invalid'],
    ['200 with no JSON', async () => new Response('ok'), 'broker-answer-invalid'],
    ['200 with too much', async () => Response.json({ a: 'x'.repeat(70_000) }), 'broker-answer-invalid'],
    ['an error nobody knows', async () => Response.json({ error: 'teapot' }, { status: 400 }), 'broker-answer-invalid'],
    [
      'a refusal with a known reason',
      async () => Response.json({ error: 'access_denied', reason: 'stopped' }, { status: 400 }),
      'stopped',
    ],
    ['a refusal without', async () => Response.json({ error: 'invalid_client' }, { status: 401 }), 'identity-invalid'],
    [
      'a success that says it is a refusal',
      async () => Response.json({ error: 'access_denied', ok: true }),
      'broker-answer-invalid',
    ],
  ])('%s is %s', async (_name, answer, reason) => {
    const { outcome } = await opened(at(answer), { brokerTimeoutMs: 50 })
    expect(outcome).toMatchObject({ ok: false, reason })
  })

  test('a body that never ends is given up', async () => {
    const endless = () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const { outcome } = await opened(
      at(async () => endless()),
      { brokerTimeoutMs: 50 },
    )
    expect(outcome).toMatchObject({ ok: false, reason: 'broker-unavailable' })
  })

  test('a nonce is asked for once', async () => {
    const headers = { 'dpop-nonce': 'n-1' }
    const { outcome, sent } = await opened(
      at(async () => Response.json({ error: 'use_dpop_nonce' }, { status: 400, headers })),
    )
    expect(outcome).toMatchObject({ ok: false, reason: 'proof-nonce', retryable: true })
    expect(sent.filter(({ path }) => path === '/token')).toHaveLength(2)
  })

  test.each([['a "quoted" nonce'], ['a\tb'], ['ü'], ['x'.repeat(600)]])('the nonce %s is not taken', async (nonce) => {
    const { sent } = await opened(
      at(async () => {
        const response = Response.json({ error: 'use_dpop_nonce' }, { status: 400 })
        response.headers.set('dpop-nonce', nonce)
        return response
      }),
    )
    expect(sent.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  test('a fresh proof goes with every request, over the very form', async () => {
    const { client, to } = desk({ nonces: true })
    await client.task(task, async () => true)
    const proofs = [...to('/token'), ...to('/revoke')].map(({ headers }) => claimsOf(headers.get('dpop') ?? ''))
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length)
    expect(proofs.every(({ content_digest: digest }) => typeof digest === 'string')).toBe(true)
    expect(proofs.map(({ nonce }) => typeof nonce)).toEqual(['undefined', 'string', 'string'])
  })
})

const claimsOf = (proof: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
