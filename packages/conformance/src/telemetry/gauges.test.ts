import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditSink } from '@hallpass/core'
import { memoryLedger, memoryTrail, redactEvents } from '@hallpass/core'
import type { VerifierOptions } from '@hallpass/verifier'
import { createVerifier } from '@hallpass/verifier'
import { feed } from '@hallpass/verifier/feed'
import { forwardingTrail } from '@hallpass/verifier/forwarding-trail'
import { describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { stage, task } from './stage.ts'

/** An API with a store of its own, in a world where everything is told. */
function ownStore(options: Partial<VerifierOptions<typeof orders>>) {
  const { telemetry, series } = recorded()
  const { world } = stage()
  const verifier = createVerifier({
    api: orders,
    issuer: world.broker,
    ledger: memoryLedger({ exactFor: 'one-process', clock: world.clock.now }),
    audit: memoryTrail(),
    clock: world.clock.now,
    telemetry,
    ...options,
  })
  const fetch = async (request: Request) => {
    if (!request.url.startsWith(orders.audience)) return world.fetch(request)
    const { method, url: target, headers } = request
    const verdict = await verifier.verify('order.read', { method, target, headers })
    return new Response(null, { status: verdict.kind === 'refused' ? verdict.answer().status : 200 })
  }
  const client = world.client('support-bot', { fetch })
  // A store of its own refuses what is older than itself.
  world.clock.advance(6)
  const call = () => client.task(task, (open) => open.call('order.read', { resource: 'order:1' }))
  return { world, series, call }
}

describe('gauges', () => {
  test('tell how old the status list is that was asked for last', async () => {
    const { world, series, call } = ownStore({ revocation: { maxStalenessSeconds: 30 } })
    expect(await series('hallpass.revocation.staleness')).toEqual([])
    expect(await call()).toMatchObject({ ok: true, response: { status: 200 } })
    world.clock.advance(7)
    expect(await series('hallpass.revocation.staleness')).toMatchObject([
      { unit: 's', attributes: { 'hallpass.audience': orders.audience, 'hallpass.source': 'status_list' }, value: 7 },
    ])
    await world.close()
  })

  test('tell how old the feed is, from when it is known, until it is closed', async () => {
    const { telemetry, series } = recorded()
    const { world } = stage()
    const revocation = feed({ identity: world.identity(orders.audience).source, maxStalenessSeconds: 30 })
    const verifier = createVerifier({
      api: orders,
      issuer: world.broker,
      ledger: memoryLedger({ exactFor: 'one-process', clock: world.clock.now }),
      audit: memoryTrail(),
      clock: world.clock.now,
      telemetry,
      revocation,
    })
    await revocation.ready()
    world.clock.advance(3)
    const [staleness] = await series('hallpass.revocation.staleness')
    expect(staleness?.attributes).toEqual({ 'hallpass.audience': orders.audience, 'hallpass.source': 'feed' })
    // A heartbeat may have come since: then it is as young as that.
    expect([0, 3]).toContain(staleness?.value)
    revocation.close()
    await verifier.flush()
    await world.close()
  })

  test.each<[string, (sink: AuditSink) => AuditSink]>([
    ['as it is', (sink) => sink],
    ['behind a redaction', (sink) => redactEvents(sink, { drop: ['note'] })],
  ])('tell how many events wait for the broker, %s', async (_name, wrap) => {
    const path = await mkdtemp(join(tmpdir(), 'hallpass-'))
    const away = { deliver: () => Promise.reject(new Error('the broker is away')) }
    const trail = forwardingTrail({ path: join(path, 'spool'), to: away })
    const { world, series, call } = ownStore({ audit: wrap(trail), revocation: { maxStalenessSeconds: 30 } })
    await call()
    await trail.flush()
    expect(await series('hallpass.audit.backlog')).toMatchObject([
      {
        attributes: { 'hallpass.role': 'verifier', 'hallpass.audience': orders.audience },
        value: trail.state().waiting,
      },
    ])
    expect(trail.state().waiting).toBeGreaterThan(0)
    await trail.close()
    await world.close()
    await rm(path, { recursive: true })
  })
})
