import { createEventMerger, type AuditSink, type EventMerger } from '@hallpass/core'
import type { Recorder } from './recorder.ts'

/**
 * Takes events of verifiers into the trail, each once. What a trail kept over a restart is known from the start, so a
 * batch that was on its way when the broker was killed is not recorded twice.
 */
export function createMerger(recorder: Pick<Recorder, 'append' | 'stamp'>, audit: AuditSink): EventMerger {
  const append = (event: Parameters<AuditSink['append']>[0]) => recorder.append(event)
  const trail: AuditSink = { append, flush: () => audit.flush(), close: async () => {} }
  const merger = createEventMerger(trail, { stamp: () => recorder.stamp() })
  merger.know(audit.tail ?? [])
  return merger
}
