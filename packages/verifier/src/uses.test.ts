import { memoryTrail } from '@hallpass/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createLiveLedger } from '../test/live-ledger.ts'
import type { RawRequest } from '../test/raw-request.ts'
import { sendRaw } from '../test/raw-request.ts'
import { read, refund } from '../test/scenario.ts'
import type { AppOptions, Run } from '../test/surfaces.ts'
import { surfaces } from '../test/surfaces.ts'
import { orders } from '../test/test-api.ts'
import { createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier } from './index.ts'

const calls = (max: number) => [{ id: 'calls', per: 'grant', max }] as const
const withKey = (request: RawRequest, key: string): RawRequest => ({
  ...request,
  headers: [...(request.headers ?? []), 'idempotency-key', key],
})

describe.each(surfaces)('$name', (surface) => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })

  async function setUp(options: Omit<AppOptions, 'verifier'> = {}) {
    const issuer = createTestIssuer()
    const live = createLiveLedger()
    const audit = memoryTrail()
    const verifier = createVerifier({ api: orders, issuer, ledger: live.ledger, audit, clock: live.clock })
    const runs: Run[] = []
    const app = await surface.start({
      ...options,
      verifier,
      handle: async (run) => {
        runs.push(run)
        return options.handle?.(run) ?? { run: runs.length }
      },
    })
    open.push(() => app.close())
    const recorded = async () => {
      await verifier.flush()
      return (await audit.events()).map(({ type }) => type)
    }
    return { issuer, live, audit, verifier, runs, port: app.port, recorded }
  }

  test.each([1, 7, 100])(
    '200 parallel requests run the handler exactly %i times',
    async (uses) => {
      const { issuer, live, runs, port } = await setUp()
      const token = issuer.grant({ action: 'order.read', limits: calls(uses) })
      await live.register(token)
      const requests = Array.from({ length: 200 }, async () => sendRaw(port, read(issuer, { token })))
      const statuses = (await Promise.all(requests)).map(({ status }) => status)
      expect(runs.length).toBe(uses)
      expect(statuses.filter((status) => status === 200).length).toBe(uses)
      expect(new Set(statuses.filter((status) => status !== 200))).toEqual(new Set([401]))
    },
    60_000,
  )

  test('50 parallel requests with one idempotency key run the handler once', async () => {
    const { issuer, live, runs, port } = await setUp()
    const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' }, limits: calls(100) })
    await live.register(token)
    const requests = Array.from({ length: 50 }, async () =>
      sendRaw(port, withKey(refund(issuer, { token }), '"call-1"')),
    )
    const replies = await Promise.all(requests)
    expect(runs.length).toBe(1)
    expect(new Set(replies.map(({ status }) => status))).toEqual(
      new Set(replies.some(({ status }) => status === 409) ? [200, 409] : [200]),
    )
    expect(new Set(replies.filter(({ status }) => status === 200).map(({ text }) => text))).toEqual(
      new Set(['{"run":1}']),
    )
  })

  test('a retry with the same key gets the recorded outcome, the quoted and the bare key being one', async () => {
    const { issuer, live, runs, port, recorded } = await setUp()
    const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' }, limits: calls(1) })
    await live.register(token)
    const first = await sendRaw(port, withKey(refund(issuer, { token }), '"call-1"'))
    const again = await sendRaw(port, withKey(refund(issuer, { token }), 'call-1'))
    expect({ status: first.status, replayed: first.headers['idempotency-replayed'], text: first.text }).toEqual({
      status: 200,
      replayed: undefined,
      text: '{"run":1}',
    })
    expect({ status: again.status, replayed: again.headers['idempotency-replayed'], text: again.text }).toEqual({
      status: 200,
      replayed: 'true',
      text: '{"run":1}',
    })
    expect(again.headers['content-type']).toBe(first.headers['content-type'])
    expect(runs.length).toBe(1)
    expect(await recorded()).toEqual(['use.started', 'use.ended', 'use.repeated'])
  })

  test('the same key for another argument is a conflict', async () => {
    const { issuer, live, runs, port } = await setUp()
    const constraints = { amount: { any: true } } as const
    const token = issuer.grant({ action: 'refund.create', constraints, limits: calls(9) })
    await live.register(token)
    await sendRaw(port, withKey(refund(issuer, { token }), 'call-1'))
    const other = await sendRaw(port, withKey(refund(issuer, { token, body: '{"amount":"43.00"}' }), 'call-1'))
    expect({ status: other.status, type: other.json['type'], runs: runs.length }).toEqual({
      status: 422,
      type: 'urn:hallpass:problem:idempotency-conflict',
      runs: 1,
    })
  })

  test('an outcome too large to keep is not repeated, and the handler does not run again', async () => {
    const { issuer, live, runs, port } = await setUp({ handle: () => ({ text: 'x'.repeat(9000) }) })
    const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' } })
    await live.register(token)
    await sendRaw(port, withKey(refund(issuer, { token }), 'call-1'))
    const again = await sendRaw(port, withKey(refund(issuer, { token }), 'call-1'))
    expect({ status: again.status, type: again.json['type'], runs: runs.length }).toEqual({
      status: 409,
      type: 'urn:hallpass:problem:idempotency-done',
      runs: 1,
    })
  })

  test('the same proof twice runs the handler once', async () => {
    const { issuer, live, runs, port } = await setUp()
    const token = issuer.grant({ action: 'order.read', limits: calls(5) })
    await live.register(token)
    const request = read(issuer, { token })
    const first = await sendRaw(port, request)
    const again = await sendRaw(port, request)
    expect([first.status, again.status, again.json['type'], runs.length]).toEqual([
      200,
      401,
      'urn:hallpass:problem:proof-invalid',
      1,
    ])
  })

  test('a used-up grant says so, on record', async () => {
    const { issuer, live, runs, port, recorded } = await setUp()
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    const again = await sendRaw(port, read(issuer, { token }))
    expect([again.status, again.json['type'], runs.length]).toEqual([401, 'urn:hallpass:problem:grant-exhausted', 1])
    expect(await recorded()).toEqual(['use.started', 'use.ended', 'use.refused'])
  })

  test('a grant of an ended task is dead, the cached token notwithstanding', async () => {
    const { issuer, live, runs, port } = await setUp()
    const token = issuer.grant({ action: 'order.read', limits: calls(5) })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    await live.ledger.endTask('tsk_1', 'completed')
    const after = await sendRaw(port, read(issuer, { token }))
    expect([after.status, runs.length]).toEqual([401, 1])
  })

  test('a revoked grant is dead, the cached token notwithstanding', async () => {
    const { issuer, live, runs, port } = await setUp()
    const token = issuer.grant({ action: 'order.read', limits: calls(5), claims: { jti: 'gr_revoked' } })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    await live.ledger.revoke({ kind: 'grant', jti: 'gr_revoked' }, 'test')
    const after = await sendRaw(port, read(issuer, { token }))
    expect([after.status, after.json['type'], runs.length]).toEqual([401, 'urn:hallpass:problem:grant-revoked', 1])
  })

  test('a cached token is refused in the second it expires', async () => {
    const { issuer, live, runs, port } = await setUp()
    const token = issuer.grant({ action: 'order.read', limits: calls(5) })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    live.advance(55)
    const after = await sendRaw(port, read(issuer, { token, proof: { claims: { iat: live.clock() } } }))
    expect([after.status, after.json['type'], runs.length]).toEqual([401, 'urn:hallpass:problem:grant-invalid', 1])
  })

  test('a grant the ledger has never seen is refused, good signature or not', async () => {
    const { issuer, runs, port } = await setUp()
    const reply = await sendRaw(port, read(issuer))
    expect([reply.status, reply.json['type'], runs.length]).toEqual([401, 'urn:hallpass:problem:grant-invalid', 0])
  })

  test('a handler that throws has its use recorded as 500, and used', async () => {
    const { issuer, live, runs, port, recorded, audit } = await setUp({
      handle: () => {
        throw new Error('boom')
      },
    })
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    const failed = await sendRaw(port, read(issuer, { token }))
    const again = await sendRaw(port, read(issuer, { token }))
    expect([failed.status, again.json['type'], runs.length]).toEqual([500, 'urn:hallpass:problem:grant-exhausted', 1])
    expect(await recorded()).toEqual(['use.started', 'use.ended', 'use.refused'])
    expect((await audit.events({ type: 'use.ended' })).map(({ status }) => status)).toEqual([500])
  })

  test('a use given back can be spent again, and a status code gives nothing back', async () => {
    const { issuer, live, runs, port, recorded } = await setUp({
      handle: async ({ grant }) => ({ back: runs.length === 1 ? await grant?.giveBack('nothing was done') : 'kept' }),
    })
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    const first = await sendRaw(port, read(issuer, { token }))
    const second = await sendRaw(port, read(issuer, { token }))
    const third = await sendRaw(port, read(issuer, { token }))
    expect([first.text, second.text, third.status]).toEqual(['{"back":true}', '{"back":"kept"}', 401])
    expect(await recorded()).toEqual(['use.started', 'use.given-back', 'use.started', 'use.ended', 'use.refused'])
  })

  test('a use cannot be given back after the response', async () => {
    const { issuer, live, runs, port, verifier } = await setUp()
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    await verifier.flush()
    expect(await runs[0]?.grant?.giveBack('too late')).toBe(false)
  })

  test('the use is on record before the handler runs', async () => {
    const seen: unknown[] = []
    const { issuer, live, port, audit } = await setUp({
      handle: async ({ grant }) => {
        seen.push((await audit.events()).map(({ type, id }) => ({ type, own: id === grant?.event })))
      },
    })
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    await sendRaw(port, read(issuer, { token }))
    expect(seen).toEqual([[{ type: 'use.started', own: true }]])
  })

  test('a trail that cannot be written keeps the handler from running, and the use stays used', async () => {
    const { issuer, live, runs, port, audit } = await setUp()
    const token = issuer.grant({ action: 'order.read' })
    await live.register(token)
    await audit.close()
    const reply = await sendRaw(port, read(issuer, { token }))
    expect([reply.status, reply.headers['retry-after'], reply.json['type'], runs.length]).toEqual([
      503,
      '1',
      'urn:hallpass:problem:cannot-verify',
      0,
    ])
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    expect((await live.ledger.grant(claims.jti))?.usesLeft).toBe(0)
  })
})
