import { connect } from 'node:net'
import { once } from 'node:events'
import { memoryTrail } from '@hallpass/core'
import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../test/deferred.ts'
import { createLiveLedger } from '../test/live-ledger.ts'
import type { RawRequest } from '../test/raw-request.ts'
import { sendRaw } from '../test/raw-request.ts'
import { refund } from '../test/scenario.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

/** Writes a request and hangs up once the handler has it. */
async function sendAndHangUp(port: number, request: RawRequest, handlerRuns: Promise<void>): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const fields = []
  for (let index = 0; index < (request.headers ?? []).length; index += 2) {
    fields.push(`${request.headers?.[index]}: ${request.headers?.[index + 1]}`)
  }
  const { body = '' } = request
  socket.write(
    [
      `${request.method} ${request.target} HTTP/1.1`,
      'host: x',
      `content-length: ${body.length}`,
      ...fields,
      '',
      body,
    ].join('\r\n'),
  )
  await handlerRuns
  socket.destroy()
}

describe.each(surfaces.filter(({ name }) => name === 'express' || name === 'fastify'))('$name', (surface) => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })

  async function setUp() {
    const issuer = createTestIssuer()
    const live = createLiveLedger()
    const audit = memoryTrail()
    const ended = deferred()
    const started = deferred()
    const release = deferred()
    const sink = {
      ...audit,
      append: (event: Parameters<typeof audit.append>[0]) => {
        void audit.append(event)
        if (event.type === 'use.ended') ended.resolve()
      },
    }
    const verifier = createVerifier({ api: orders, issuer, ledger: live.ledger, audit: sink, clock: live.clock })
    const app = await surface.start({
      verifier,
      handle: async () => {
        started.resolve()
        await release.promise
        return { done: true }
      },
    })
    open.push(() => app.close())
    const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' } })
    await live.register(token)
    return { issuer, live, audit, token, port: app.port, started: started.promise, ended: ended.promise, release }
  }

  test('a client that goes away before the response leaves a use recorded as aborted, and used', async () => {
    const { issuer, audit, token, port, started, ended, release } = await setUp()
    await sendAndHangUp(port, refund(issuer, { token }), started)
    await ended
    release.resolve()
    const [event] = await audit.events({ type: 'use.ended' })
    expect({ status: event?.status, reason: event?.reason }).toEqual({ status: 499, reason: 'aborted' })
    expect((await sendRaw(port, refund(issuer, { token }))).json['type']).toBe('urn:hallpass:problem:grant-exhausted')
  })

  test('with an idempotency key the outcome of the handler is waited for, and a retry gets it', async () => {
    const { issuer, audit, token, port, started, ended, release } = await setUp()
    const request = refund(issuer, { token })
    const keyed = { ...request, headers: [...(request.headers ?? []), 'idempotency-key', 'call-1'] }
    await sendAndHangUp(port, keyed, started)
    const during = refund(issuer, { token })
    const early = await sendRaw(port, { ...during, headers: [...(during.headers ?? []), 'idempotency-key', 'call-1'] })
    expect([early.status, early.json['type']]).toEqual([409, 'urn:hallpass:problem:idempotency-running'])
    release.resolve()
    await ended
    const retry = refund(issuer, { token })
    const late = await sendRaw(port, { ...retry, headers: [...(retry.headers ?? []), 'idempotency-key', 'call-1'] })
    expect([late.status, late.headers['idempotency-replayed'], late.text]).toEqual([200, 'true', '{"done":true}'])
    expect((await audit.events({ type: 'use.ended' })).map(({ status }) => status)).toEqual([200])
  })
})
