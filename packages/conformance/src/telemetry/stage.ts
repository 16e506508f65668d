import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Telemetry } from '@hallpass/core'
import { testWorld } from '@hallpass/testing'
import { orders, policy } from './orders.ts'

export const task = { purpose: 'support-ticket' } as const
export const refund = {
  resource: 'order:123',
  parameters: { amount: '42.17', note: 'NOTE-CANARY' },
  callId: 'call-1',
} as const

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
export const GOOD = `00-${TRACE}-00f067aa0ba902b7-01`

export const traceOf = (span: ReadableSpan | undefined) => span?.spanContext().traceId
export const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId
export const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId

/** A world and what was sent in it. */
export function stage(telemetry?: Telemetry) {
  const world = testWorld({ api: orders, policy, ...(telemetry && { telemetry }) })
  const sent: Request[] = []
  const fetch = (request: Request) => {
    sent.push(request.clone())
    return world.fetch(request)
  }
  const client = world.client('support-bot', { fetch })
  return { world, client, sent }
}
