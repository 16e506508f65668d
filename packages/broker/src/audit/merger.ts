import { createEventMerger, type AuditEvent, type AuditSink, type EventMerger } from '@hallpass/core'
import type { Recorder } from './recorder.ts'

/** Takes events of verifiers into the trail, each once, and knows what the trail kept over a restart. */
export interface Merger extends EventMerger {
  /** True where the trail had this use on record, under this reservation, as it was opened. */
  hadUse(event: string, reservation: string): boolean
}

/**
 * What a trail kept over a restart is known from the start, so a batch that was on its way when the broker was killed is
 * not recorded twice.
 */
export function createMerger(recorder: Pick<Recorder, 'append' | 'stamp'>, audit: AuditSink): Merger {
  const append = (event: AuditEvent) => recorder.append(event)
  const trail: AuditSink = { append, flush: () => audit.flush(), close: async () => {} }
  const merger = createEventMerger(trail, { stamp: () => recorder.stamp() })
  const kept = audit.tail ?? []
  merger.know(kept)
  const uses = new Map(
    kept.filter(({ type }) => type === 'use.started').map((event) => [event.id, reservationIn(event)]),
  )
  return { ...merger, hadUse: (event, reservation) => uses.get(event) === reservation }
}

/** The reservation in a use that this broker redeemed. */
function reservationIn({ data }: AuditEvent): unknown {
  return typeof data === 'object' && data !== null && 'reservation' in data ? data['reservation'] : undefined
}
