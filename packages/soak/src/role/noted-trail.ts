import type { AuditEvent, AuditSink } from '@hallpass/core'
import type { RecordFile } from '../world/record-file.ts'
import type { MadeRecord } from '../world/records.ts'

/** Notes the id of each event that a trail has taken for good: what may not be missing afterwards. */
export function notedTrail(
  trail: AuditSink,
  made: RecordFile<MadeRecord>,
  isCounted: (event: AuditEvent) => boolean = () => true,
): AuditSink {
  return {
    async append(event) {
      const counts = isCounted(event)
      await trail.append(event)
      if (counts) made.add({ id: event.id })
    },
    flush: () => trail.flush(),
    close: () => trail.close(),
    ...(trail.tail === undefined ? {} : { tail: trail.tail }),
  }
}
