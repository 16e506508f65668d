import { memoryTrail } from '@hallpass/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { read } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import type { Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

const HOSTS = ['evil.example', 'orders.example', 'orders.example:443', '[::1]:8080', '127.0.0.1', 'ORDERS.example.']

describe.each(surfaces)('$name', (surface) => {
  const issuer = createTestIssuer()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger: scriptedLedger(),
    audit: memoryTrail(),
    clock: () => NOW,
  })
  const runs: Run[] = []
  let app: Awaited<ReturnType<typeof surface.start>>

  beforeAll(async () => {
    app = await surface.start({ verifier, handle: (run) => (runs.push(run), {}) })
  })
  beforeEach(() => void (runs.length = 0))
  afterAll(() => app.close())

  test.each([
    '/orders/123/',
    '/Orders/123',
    '/ORDERS/123',
    '//orders/123',
    '/orders//123',
    '/orders/%31%32%33/',
    '/orders/123;x=1',
    '/orders/123%3Bx',
    '/orders/123%2F',
    '/orders/123%2f..',
    '/orders/123%5C',
    '/orders/123%00',
    '/orders/123%20',
    '/orders/123+',
    '/orders/+123',
    '/orders/12%2533',
    '/orders/%C0%B1',
    '/orders/%E0%80%B1',
    '/orders/%u0031',
    '/orders/123%',
    '/orders/１２３',
    '/orders/123\\',
    '/orders/123|',
    '//evil.example/orders/123',
    'http://a@b/orders/123',
    'http://evil.example//orders/123',
    'ftp://orders.example/orders/123',
    'orders/123',
    '*',
  ])('refuses the target %s, whichever of both the proof names', async (target) => {
    for (const url of [`${AUDIENCE}/orders/123`, AUDIENCE + target]) {
      const request = read(issuer, { proof: { url }, request: { target: encodeUtf8(target) } })
      const status = await sendRaw(app.port, request).then(
        (reply) => reply.status,
        () => 400,
      )
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }
    expect(runs).toEqual([])
  })

  test.each([
    '/orders/123',
    '/orders/%31%32%33',
    '/orders/123?',
    'http://evil.example/orders/123',
    'HTTPS://x/orders/123',
  ])('takes the target %s for the path it is, under the configured host', async (target) => {
    expect((await sendRaw(app.port, read(issuer, { request: { target } }))).status).toBe(200)
  })

  test.each([
    '/orders/%2e%2e/orders/123',
    '/orders/./123',
    '/x/../orders/123',
    '/orders/124/../123',
    '/orders/123?/../124',
  ])('reads %s as nothing but the resource that is granted', async (target) => {
    await sendRaw(app.port, read(issuer, { request: { target } }))
    expect(runs.filter(({ grant }) => grant?.resource !== 'order:123')).toEqual([])
  })

  test.each(['CONNECT', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])('does not run the handler for %s', async (method) => {
    const request = read(issuer, { request: { method }, proof: { method } })
    await expect(
      sendRaw(app.port, request).then(
        ({ status }) => status >= 400 || method === 'OPTIONS',
        () => true,
      ),
    ).resolves.toBe(true)
    expect(runs).toEqual([])
  })

  test('htu never follows what the client says its host is', async () => {
    const host = fc.constantFrom(...HOSTS)
    const forwarded = fc.subarray([
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-prefix',
      'x-forwarded-port',
      'x-forwarded-server',
      'x-original-url',
      'x-rewrite-url',
      'x-original-host',
      'x-http-host-override',
      'forwarded',
    ])
    const form = fc.constantFrom('origin', 'absolute')
    const scheme = fc.constantFrom('http', 'https')
    await fc.assert(
      fc.asyncProperty(
        fc.record({ name: host, fields: forwarded, line: form, by: scheme }),
        async ({ name, fields, line, by }) => {
          const origin = `${by}://${name}`
          const valueOf = (field: string): string => {
            if (field === 'forwarded') return `host=${name};proto=${by}`
            if (field.endsWith('proto')) return by
            return field.endsWith('url') ? `${origin}/orders/124` : name
          }
          const headers = ['host', name, ...fields.flatMap((field) => [field, valueOf(field)])]
          const target = line === 'origin' ? '/orders/123' : `${origin}/orders/123`
          const wish = (url: string) => {
            const request = read(issuer, { proof: { url }, request: { target } })
            return { ...request, ownHost: true, headers: [...headers, ...(request.headers ?? [])] }
          }
          const isConfigured = ['https://orders.example', 'https://orders.example:443'].includes(origin)
          expect((await sendRaw(app.port, wish(`${origin}/orders/123`))).status).toBe(isConfigured ? 200 : 401)
          expect((await sendRaw(app.port, wish(`${AUDIENCE}/orders/123`))).status).toBe(200)
        },
      ),
      { numRuns: 60 },
    )
  }, 30_000)
})

/** Node writes a request target byte by byte. */
const encodeUtf8 = (text: string): string => Buffer.from(text).toString('latin1')

describe.each([
  ['https://[2001:db8::1]:8443/api', 'https://[2001:db8::1]:8443/api/orders/123'],
  ['https://[2001:DB8::1]/', 'https://[2001:db8::1]/orders/123'],
  ['https://ORDERS.example:443/api/', 'https://orders.example/api/orders/123'],
  ['http://127.0.0.1:80', 'http://127.0.0.1/orders/123'],
  ['http://localhost:8080', 'http://localhost:8080/orders/123'],
])('publicUrl %s', (publicUrl, url) => {
  test.each(surfaces)('is what htu is compared with behind $name', async (surface) => {
    const issuer = createTestIssuer()
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger: scriptedLedger(),
      audit: memoryTrail(),
      publicUrl,
      clock: () => NOW,
    })
    const app = await surface.start({ verifier })
    const status = async (proven: string) => (await sendRaw(app.port, read(issuer, { proof: { url: proven } }))).status
    const other = new URL(url)
    other.port = '9999'
    expect([await status(url), await status(other.href), await status(`${AUDIENCE}/orders/123`)]).toEqual([
      200, 401, 401,
    ])
    await app.close()
  })
})
