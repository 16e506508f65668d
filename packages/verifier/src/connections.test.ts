import { once } from 'node:events'
import { memoryTrail } from '@hallpass/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendRaw } from '../test/raw-request.ts'
import { REFUND, credentials, json, read, refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { converse, hear, open, statuses, wireText } from '../test/socket.ts'
import type { Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { NOW, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n`

describe.each(surfaces)('$name', (surface) => {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger,
    audit: memoryTrail(),
    bodyLimitBytes: 4096,
    clock: () => NOW,
  })
  const runs: Run[] = []
  let app: Awaited<ReturnType<typeof surface.start>>

  beforeAll(async () => {
    app = await surface.start({ verifier, handle: (run) => (runs.push(run), {}) })
  })
  beforeEach(() => {
    runs.length = 0
    ledger.requests.length = 0
  })
  afterAll(() => app.close())

  const smuggled = () => wireText(read(issuer))

  test('what was refused before its body was read leaves no request behind in the connection', async () => {
    const inner = smuggled()
    const outer = wireText({ method: 'POST', target: '/orders/123/refund', headers: [...json], body: inner })
    const heard = await converse(app.port, outer + wireText(read(issuer)))
    // The refusal, and then the next request of the connection or none; never the one in the body.
    expect([[401], [401, 200]]).toContainEqual(statuses(heard))
    expect(runs.length).toBeLessThanOrEqual(1)
    expect(ledger.requests.length).toBe(runs.length)
  })

  test('what was refused in the middle of its body closes the connection', async () => {
    const long = 'x'.repeat(9000)
    const request = refund(issuer, { body: `{"amount":"42.00","note":"${long}"}` })
    const whole = wireText(request)
    const heard = await converse(app.port, whole + smuggled())
    expect(statuses(heard)[0]).toBe(413)
    // Node may have read the request behind it by then; that one stands for itself.
    expect(runs.every(({ action }) => action === 'order.read')).toBe(true)
  })

  test.each([
    ['two lengths', ['content-length: 18', 'content-length: 5']],
    ['two equal lengths', ['content-length: 18', 'content-length: 18']],
    ['a list of lengths', ['content-length: 18, 18']],
    ['a length and chunks', ['content-length: 18', 'transfer-encoding: chunked']],
    ['chunks and a length of nothing', ['transfer-encoding: chunked', 'content-length: 0']],
    ['a coding that is none', ['transfer-encoding: xchunked']],
    ['chunks twice', ['transfer-encoding: chunked, chunked']],
    ['a compressed transfer', ['transfer-encoding: gzip, chunked']],
    ['a signed length', ['content-length: +18']],
    ['a length in hex', ['content-length: 0x12']],
    ['a folded length', ['content-length:', ' 18']],
    ['a space before the colon', ['content-length : 18']],
  ])('frames no body by %s', async (_name, framing) => {
    const text = wireText(refund(issuer), framing)
    const heard = await converse(
      app.port,
      `${text}${framing.join().includes('chunked') ? `${chunked(REFUND)}\r\n` : REFUND}`,
    )
    expect(statuses(heard).filter((status) => status === 200)).toEqual([])
    expect(ledger.requests).toEqual([])
  })

  test('neither credentials nor fields in trailers count', async () => {
    const { headers = [], ...rest } = refund(issuer)
    const trailers = headers.map((value, index) => (index % 2 === 0 ? `${value}: ` : `${value}\r\n`)).join('')
    const bare = wireText({ ...rest, headers: [...json], body: REFUND }, [
      'transfer-encoding: chunked',
      'trailer: authorization, dpop',
    ])
    expect(statuses(await converse(app.port, `${bare}${chunked(REFUND)}${trailers}\r\n`))).toEqual([401])
    const keyed = wireText({ ...rest, headers, body: REFUND }, ['transfer-encoding: chunked', 'trailer: x'])
    const more = 'idempotency-key: late\r\ncontent-type: text/plain\r\nauthorization: Basic eDp5\r\n'
    expect(statuses(await converse(app.port, `${keyed}${chunked(REFUND)}${more}\r\n`))).toEqual([200])
    expect(ledger.requests.map(({ idempotency }) => idempotency)).toEqual([undefined])
  })

  test('requests in one pipeline are each checked for themselves', async () => {
    const own = read(issuer)
    const thief = { ...read(issuer), headers: own.headers ?? [] }
    const heard = await converse(
      app.port,
      [
        wireText(own),
        wireText({ target: '/orders/123' }),
        wireText(refund(issuer)),
        wireText({ ...thief, target: '/orders/124' }),
        wireText(read(issuer)),
      ].join(''),
    )
    expect(statuses(heard)).toEqual([200, 401, 200, 401, 200])
    expect(runs.map(({ action }) => action).toSorted()).toEqual(['order.read', 'order.read', 'refund.create'])
  })

  test('a client that waits for 100 Continue is answered', async () => {
    const socket = await open(app.port)
    const { body = '', ...head } = refund(issuer)
    const wanted = hear(socket, /HTTP\/1\.1 200 /)
    socket.write(wireText(head, [`content-length: ${body.length}`, 'expect: 100-continue']))
    await hear(socket, /100 Continue/)
    socket.write(body)
    expect(statuses(await wanted)).toEqual([100, 200])
    socket.destroy()
  })

  test.each([
    ['a folded field', ['authorization: DPoP', ' x']],
    ['an obsolete line end', ['x: a\nauthorization: Basic x']],
    ['a NUL', ['x: a\u0000b']],
    ['a bare CR', ['x: a\rauthorization: Basic x']],
    ['a nameless field', [': x']],
  ])('takes no request with %s', async (_name, more) => {
    expect(statuses(await converse(app.port, wireText(read(issuer), more))).filter((status) => status === 200)).toEqual(
      [],
    )
  })

  test('no answer of ours is split by what the client sent', async () => {
    const evil = 'x%0d%0aset-cookie:%20a=b'
    for (const request of [
      read(issuer, { request: { target: `/orders/${evil}` } }),
      read(issuer, { request: { target: `/orders/123?${evil}` } }),
      read(issuer, { token: `x"\\, error="y` }),
      read(issuer, { headers: (t, p) => [...credentials(t, p), 'idempotency-key', '"a\\"b"'] }),
    ]) {
      const reply = await sendRaw(app.port, request)
      expect(reply.headers['set-cookie']).toBeUndefined()
      expect(String(reply.headers['www-authenticate'] ?? 'DPoP ')).toMatch(/^DPoP (?:[a-z_]+="[^"\\]*"(?:, |$))*$/)
    }
  })

  test('a client that goes away in the middle of its body spends nothing and leaves nothing waiting', async () => {
    const socket = await open(app.port)
    const { body = '', ...head } = refund(issuer)
    socket.write(wireText(head, [`content-length: ${body.length}`]) + body.slice(0, 5))
    socket.destroy()
    await once(socket, 'close')
    expect((await sendRaw(app.port, read(issuer))).status).toBe(200)
    expect(runs.map(({ action }) => action)).toEqual(['order.read'])
    expect(ledger.requests.length).toBe(1)
  })
})
