import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import type { Telemetry } from '@hallpass/core'
import { parseTraceParent } from '@hallpass/core'
import { openTelemetry } from '@hallpass/core/opentelemetry'
import { afterEach, describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { GOOD, idOf, refund, stage, task, TRACE, traceOf } from './stage.ts'

afterEach(() => context.disable())

/** Grants a read and presents it by hand, with these headers beside it. */
async function presented(headers: readonly [string, string][], telemetry: Telemetry) {
  const { world } = stage(telemetry)
  const wire = world.wire('support-bot')
  const { access_token: taskToken } = (await wire.open(task.purpose)).body as { access_token: string }
  const granted = await wire.exchange(taskToken, {
    audience: orders.audience,
    action: 'order.read',
    resource: 'order:1',
  })
  const { access_token: token } = granted.body as { access_token: string }
  const url = `${orders.audience}/orders/1`
  const proof = wire.proof({ method: 'GET', url, token })
  const raw = ['authorization', `DPoP ${token}`, 'dpop', proof, ...headers.flat()]
  const verdict = await world.verifier().verify('order.read', { method: 'GET', target: '/orders/1', headers: raw })
  const [line] = await world.events({ type: 'use.started' })
  await world.close()
  return { kind: verdict.kind, trace: line?.trace }
}

describe('a hostile traceparent', () => {
  test.each<[string, [string, string][]]>([
    [
      'twice',
      [
        ['traceparent', GOOD],
        ['Traceparent', GOOD],
      ],
    ],
    ['two in one', [['traceparent', `${GOOD}, ${GOOD}`]]],
    ['oversized', [['traceparent', `01-${TRACE}-00f067aa0ba902b7-01-${'a'.repeat(100_000)}`]]],
    ['of zeros', [['traceparent', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]]],
    ['with a span of zeros', [['traceparent', `00-${TRACE}-${'0'.repeat(16)}-01`]]],
    ['in upper case', [['traceparent', GOOD.toUpperCase()]]],
    ['of version ff', [['traceparent', `ff${GOOD.slice(2)}`]]],
    ['with a line break', [['traceparent', `${GOOD}\n`]]],
    ['empty', [['traceparent', '']]],
    [
      'only a tracestate',
      [
        ['tracestate', 'vendor=1'],
        ['baggage', 'user=1'],
      ],
    ],
  ])('%s is ignored and refuses nothing', async (_name, headers) => {
    const { telemetry, spans } = recorded()
    const { kind, trace } = await presented(headers, telemetry)
    expect(kind).toBe('admitted')
    const [verified] = spans('hallpass.verify')
    expect(verified?.parentSpanContext).toBeUndefined()
    expect(trace).toBe(`00-${traceOf(verified)}-${idOf(verified)}-01`)
    expect(traceOf(verified)).not.toBe(TRACE)
  })

  test('that is none is the parent, and never more than that', async () => {
    const { telemetry, spans } = recorded()
    const { kind } = await presented(
      [
        ['traceparent', GOOD],
        ['tracestate', 'vendor=SECRET'],
        ['baggage', 'k=SECRET'],
      ],
      telemetry,
    )
    expect(kind).toBe('admitted')
    const [verified] = spans('hallpass.verify')
    expect(verified?.parentSpanContext).toMatchObject({ traceId: TRACE, isRemote: true })
    expect(verified?.spanContext().traceState?.serialize() ?? '').toBe('')
  })

  test('is only linked where strangers are not to lead traces', async () => {
    const { telemetry, spans } = recorded({ incoming: 'link' })
    const { trace } = await presented([['traceparent', GOOD]], telemetry)
    const [verified] = spans('hallpass.verify')
    expect(traceOf(verified)).not.toBe(TRACE)
    expect(verified?.links[0]?.context.traceId).toBe(TRACE)
    expect(trace).toContain(traceOf(verified))
  })

  test('without an SDK the trail still says what the caller said', async () => {
    expect(await presented([['traceparent', GOOD]], openTelemetry())).toEqual({ kind: 'admitted', trace: GOOD })
  })
})

describe('what is sent on', () => {
  test('is a traceparent of our own, and neither tracestate nor baggage, to broker and API', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { telemetry } = recorded()
    const { world, client, sent } = stage(telemetry)
    await client.task(task, async (open) => {
      const headers = { traceparent: GOOD, tracestate: 'vendor=1' }
      return open.fetch(`${orders.audience}/orders/1`, { headers })
    })
    const asked = sent.filter(({ url }) => !url.includes('.well-known'))
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual(['/token', '/token', '/orders/1', '/revoke'])
    for (const { headers } of asked) {
      expect(parseTraceParent(headers.get('traceparent'))).toBe(headers.get('traceparent'))
      expect(headers.get('traceparent')).not.toContain(TRACE)
      expect([headers.get('tracestate'), headers.get('baggage')]).toEqual([null, null])
    }
    await world.close()
  })

  test.each([
    ['without telemetry', undefined],
    ['without an SDK', openTelemetry()],
    ['where fetch is instrumented', recorded({ inject: false }).telemetry],
  ])('is nothing %s', async (_name, telemetry) => {
    const { world, client, sent } = stage(telemetry)
    expect(await client.task(task, (open) => open.call('refund.create', refund))).toMatchObject({ ok: true })
    expect(sent.filter(({ headers }) => headers.has('traceparent'))).toEqual([])
    await world.close()
  })
})
