import { memoryTrail } from '@hallpass/core'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { refund } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { hear, open, statuses, wireText } from '../test/socket.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer } from '../test/test-issuer.ts'
import { requireGrant } from './hono.ts'
import { createVerifier, protect } from './index.ts'

function setUp() {
  const issuer = createTestIssuer()
  const ledger = scriptedLedger()
  const options = { api: orders, issuer, ledger, audit: memoryTrail(), bodyTimeoutMs: 40, clock: () => NOW }
  return { issuer, ledger, verifier: createVerifier(options) }
}

describe.each(surfaces.filter(({ name }) => name === 'express' || name === 'fastify'))('$name', (surface) => {
  test('a body that does not come is waited for no longer than it may take, and closes its connection', async () => {
    const { issuer, ledger, verifier } = setUp()
    const app = await surface.start({ verifier })
    const { body = '', ...head } = refund(issuer)
    const socket = await open(app.port)
    const heard = hear(socket, /nothing ends it but the server/)
    socket.write(wireText(head, [`content-length: ${body.length}`]) + body.slice(0, 3))
    expect(statuses(await heard)).toEqual([408])
    expect(ledger.requests).toEqual([])
    await app.close()
  })
})

describe.each(['fetch', 'hono'])('%s', (name) => {
  test('a body that does not come is waited for no longer than it may take, and is cancelled', async () => {
    const { issuer, ledger, verifier } = setUp()
    const app = new Hono()
    app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), (c) => c.json({}))
    const doors: Record<string, (request: Request) => Response | Promise<Response>> = {
      fetch: protect(verifier, 'refund.create', () => new Response()),
      hono: (request) => app.fetch(request),
    }
    let cancelled = false
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"a')),
      cancel: () => {
        cancelled = true
      },
    })
    const { headers: fields = [] } = refund(issuer)
    const headers = new Headers()
    for (let index = 0; index < fields.length; index += 2) headers.append(fields[index] ?? '', fields[index + 1] ?? '')
    const request = new Request(`${AUDIENCE}/orders/123/refund`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit)
    const response = await doors[name]?.(request)
    expect([response?.status, cancelled, ledger.requests]).toEqual([408, true, []])
  })
})
