import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { createVerifier } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { afterEach, describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { idOf, parentOf, refund, stage, task, traceOf } from './stage.ts'

afterEach(() => context.disable())

describe('one trace', () => {
  test.each([
    ['without a context manager, by the header alone', false],
    ['with one', true],
  ])('joins client, broker, verifier and trail %s', async (_name, withManager) => {
    if (withManager) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { telemetry, spans } = recorded()
    const { world, client } = stage(telemetry)
    const outcome = await client.task(task, (open) => open.call('refund.create', refund))
    expect(outcome).toMatchObject({ ok: true })

    const only = (name: string) => spans(name)[0]
    const [whole, tool, ask, send] = [
      'hallpass.task',
      'execute_tool refund.create',
      'hallpass.ask grant',
      'hallpass.send',
    ].map(only)
    const [granted, verified] = ['hallpass.broker grant', 'hallpass.verify'].map(only)
    expect(new Set([whole, tool, ask, send, granted, verified].map(traceOf)).size).toBe(1)
    expect(parentOf(tool)).toBe(idOf(whole))
    expect(parentOf(ask)).toBe(idOf(tool))
    expect(parentOf(send)).toBe(idOf(tool))
    expect(parentOf(granted)).toBe(idOf(ask))
    expect(parentOf(verified)).toBe(idOf(send))
    expect([tool, ask, granted, verified].map((span) => span?.attributes['gen_ai.tool.call.id'])).toEqual(
      Array.from({ length: 4 }, () => 'call-1'),
    )

    const lines = (await world.events()).filter(({ call_id: id }) => id === 'call-1')
    expect(lines.map(({ type }) => type)).toEqual(['grant.issued', 'use.started', 'use.ended'])
    const at = (span: ReadableSpan | undefined) => `00-${traceOf(span)}-${idOf(span)}-01`
    expect(lines.map(({ trace }) => trace)).toEqual([at(granted), at(verified), at(verified)])
    const others = await world.events()
    for (const type of ['task.opened', 'task.ended', 'grant.revoked']) {
      const line = others.find((event) => event.type === type)
      expect(line?.trace?.split('-')[1]).toBe(traceOf(whole))
    }
    expect(verified?.attributes).toMatchObject({
      'hallpass.verdict': 'admitted',
      'hallpass.action': 'refund.create',
      'hallpass.grant.id': lines[0]?.jti,
      'hallpass.task.id': lines[0]?.txn,
      'hallpass.event.id': lines[1]?.id,
      'gen_ai.agent.id': 'support-bot',
    })
    expect(granted?.attributes).toMatchObject({
      'hallpass.effect': 'permit',
      'hallpass.rules': 'refund',
      'hallpass.grant.id': lines[0]?.jti,
      'hallpass.event.id': lines[0]?.id,
      'hallpass.policy.version': '7',
      'hallpass.purpose': 'support-ticket',
    })
    expect(tool?.attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'refund.create',
      'gen_ai.agent.id': 'support-bot',
      'hallpass.task.id': lines[0]?.txn,
      'http.response.status_code': 200,
    })
    await world.close()
  })

  test('goes through a broker that redeems for a verifier, although its batches are nobody’s', async () => {
    const { telemetry, spans } = recorded()
    const { world } = stage(telemetry)
    const identity = world.identity(orders.audience).source
    const ledger = brokerLedger({
      issuer: world.issuer,
      identity,
      fetch: (url, init) => world.fetch(url, init),
      clock: world.clock.now,
    })
    const verifier = createVerifier({
      api: orders,
      issuer: world.broker,
      ledger,
      audit: ledger,
      clock: world.clock.now,
      telemetry,
    })
    const fetch = async (request: Request) => {
      if (!request.url.startsWith(orders.audience)) return world.fetch(request)
      const body = new Uint8Array(await request.arrayBuffer())
      const { method, url: target, headers } = request
      const verdict = await verifier.verify('refund.create', {
        method,
        target,
        headers,
        body: () => ({ ok: true, value: body }),
      })
      if (verdict.kind === 'admitted') await verdict.settle({ status: 201 })
      return new Response(null, { status: verdict.kind === 'admitted' ? 201 : 500 })
    }
    const client = world.client('support-bot', { fetch })
    await client.task(task, (open) => open.call('refund.create', refund))
    await verifier.flush()
    const [verified] = spans('hallpass.verify')
    const uses = (await world.events()).filter(({ type }) => type.startsWith('use.'))
    expect(uses.map(({ type, call_id: id, trace }) => [type, id, trace?.split('-')[1]])).toEqual([
      ['use.started', 'call-1', traceOf(verified)],
      ['use.ended', 'call-1', traceOf(verified)],
    ])
    const batch = spans('hallpass.broker redeem').find(({ attributes }) => attributes['hallpass.batch.redeemed'] === 1)
    expect(batch?.links.map(({ context: to }) => to.spanId)).toEqual([idOf(verified)])
    expect(traceOf(batch)).not.toBe(traceOf(verified))
    await world.close()
  })

  test('tells of a refusal by the broker with its reason, and of the agent as refused', async () => {
    const { telemetry, spans } = recorded()
    const { world, client } = stage(telemetry)
    const outcome = await client.task(task, (open) =>
      open.call('refund.create', { ...refund, parameters: { amount: '50.01' } }),
    )
    expect(outcome).toMatchObject({ ok: false, reason: 'no-rule-matched' })
    const [line] = await world.events({ type: 'grant.refused' })
    const [refused] = spans('hallpass.broker grant')
    expect(refused?.attributes).toMatchObject({
      'hallpass.effect': 'deny',
      'hallpass.reason': 'no-rule-matched',
      'hallpass.event.id': line?.id,
      'http.response.status_code': 400,
    })
    expect(line?.trace).toContain(traceOf(refused))
    expect(refused?.attributes).not.toHaveProperty('error.type')
    expect(spans('execute_tool refund.create')[0]?.attributes).toMatchObject({ 'error.type': 'no-rule-matched' })
    await world.close()
  })

  test('tells of a revocation and of the trigger behind it', async () => {
    const { telemetry, spans } = recorded()
    const { world, client } = stage(telemetry)
    await client.openTask(task)
    await world.broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'REASON-CANARY')
    expect(spans('hallpass.revocation')[0]?.attributes).toMatchObject({
      'hallpass.target': 'agent',
      'hallpass.revoked.tasks': 1,
    })
    await world.broker.resume({ kind: 'agent', clientId: 'support-bot' }, 'cleared')

    const wire = world.wire('support-bot')
    const { access_token: token } = (await wire.open(task.purpose)).body as { access_token: string }
    for (const action of ['a.b', 'c.d', 'e.f']) {
      await wire.exchange(token, { audience: orders.audience, action, resource: 'order:1' })
    }
    const [fired] = await world.events({ type: 'trigger.fired' })
    const [trigger] = spans('hallpass.trigger')
    expect(trigger?.attributes).toMatchObject({ 'hallpass.trigger': fired?.reason, 'gen_ai.agent.id': 'support-bot' })
    expect(fired?.trace).toContain(idOf(trigger))
    await world.close()
  })
})
