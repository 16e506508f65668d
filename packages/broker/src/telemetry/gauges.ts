import type { AuditSink } from '@hallpass/core'
import type { Engine } from '../engine.ts'

/** Tells how much waits and how many listen, until what it returns is called. */
export function startGauges({ telemetry, recorder, feed }: Engine, audit: AuditSink): () => void {
  if (telemetry === undefined) return () => undefined
  const to = telemetry.telemetry
  const role = { 'hallpass.role': 'broker' } as const
  const stops = [
    to.gauge('hallpass.audit.backlog', role, () => recorder.waiting() + (audit.backlog?.() ?? 0)),
    to.gauge('hallpass.feed.streams', {}, () => feed.size),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
