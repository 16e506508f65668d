import type { Telemetry, TelemetrySpan } from '@hallpass/core'
import { openTelemetry } from '@hallpass/core/opentelemetry'
import { describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { GOOD, stage, task } from './stage.ts'

describe('what a telemetry may not do', () => {
  const fail = (): never => {
    throw new Error('telemetry is broken')
  }
  const rejects = (async () => fail()) as unknown as () => never
  const spanOf = (more: Partial<TelemetrySpan>): TelemetrySpan => ({
    traceparent: GOOD,
    rename: fail,
    set: fail,
    link: fail,
    run: fail,
    end: fail,
    ...more,
  })
  const broken = (span: Telemetry['span']): Telemetry => ({
    injects: true,
    span,
    count: fail,
    duration: fail,
    gauge: fail,
  })

  const hostile: Record<string, Telemetry> = {
    'throws everywhere': broken(fail),
    'throws from its spans': broken(() => spanOf({})),
    'rejects everywhere': {
      ...broken(rejects),
      count: rejects,
      duration: rejects,
    },
    'never does the work': broken(() => spanOf({ run: () => undefined as never })),
    'does the work twice and later': broken(() =>
      spanOf({
        run(work) {
          work()
          queueMicrotask(() => void work())
          return work()
        },
      }),
    ),
    'answers for the work': broken(() =>
      spanOf({ run: () => Promise.resolve({ ok: true, kind: 'admitted' }) as never }),
    ),
    'hands out a header of its own': broken(() =>
      spanOf({ traceparent: 'x\r\nauthorization: DPoP stolen', run: (work) => work() }),
    ),
    'gives nothing back': broken(() => undefined as unknown as TelemetrySpan),
    'has a span that throws when it is looked at': broken(
      () =>
        new Proxy({} as TelemetrySpan, {
          get: fail,
        }),
    ),
  }

  /** What agents, APIs and the trail see, without ids. */
  async function story(telemetry?: Telemetry) {
    const { world, client } = stage(telemetry)
    const seen: unknown[] = []
    await client.task(task, async (open) => {
      for (const amount of ['42.00', '50.01']) {
        const outcome = await open.call('refund.create', { resource: 'order:1', parameters: { amount } })
        seen.push(outcome.ok ? outcome.response.status : outcome.reason)
      }
      seen.push((await open.call('order.read', { resource: 'order:1' })).ok)
      return true
    })
    seen.push((await world.fetch(`${orders.audience}/orders/1`)).status)
    seen.push((await world.fetch(`${world.issuer}/token`, { method: 'POST' })).status)
    const wire = world.wire('support-bot')
    const { access_token: token } = (await wire.open(task.purpose)).body as { access_token: string }
    await wire.end(token)
    seen.push(
      (await wire.exchange(token, { audience: orders.audience, action: 'order.read', resource: 'order:1' })).body,
    )
    await world.broker.revoke({ kind: 'everything' }, 'drill')
    seen.push((await client.openTask(task)).ok)
    seen.push(world.handled.map(({ resource }) => resource))
    seen.push((await world.events()).map(({ type, reason }) => [type, reason]))
    await world.close()
    return JSON.stringify(seen, (name, value: unknown) => (name === 'event' ? undefined : value))
  }

  test.each(Object.entries(hostile))(
    'one that %s changes no answer, permits nothing and breaks no call',
    async (_name, telemetry) => {
      expect(await story(telemetry)).toBe(await story())
    },
  )

  test('a working one changes none either', async () => {
    expect(await story(recorded().telemetry)).toBe(await story())
    expect(await story(openTelemetry())).toBe(await story())
  })

  test('what is no telemetry is refused where it is handed over', () => {
    expect(() => stage({} as Telemetry)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
