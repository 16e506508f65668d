import { memoryTrail } from '@hallpass/core'
import type { AuditEvent, AuditSink } from '@hallpass/core'

/** An audit sink that can be counted and emptied between slices. */
export interface KeptEvents extends AuditSink {
  readonly count: number
  clear(): void
}

const KEPT = 64

/** Takes each event at once and keeps the newest; the chain over them is a row of its own (`audit.append`). */
export function keptEvents(): KeptEvents {
  const events: AuditEvent[] = []
  let count = 0
  return {
    append(event) {
      events[count % KEPT] = event
      count += 1
    },
    flush: async () => {},
    close: async () => {},
    get count() {
      return count
    },
    clear: () => void (count = 0),
  }
}

/** Chains each event, in memory, before `append` returns. */
export function chainedEvents(): KeptEvents {
  const empty = () => memoryTrail({ maxEvents: 1_000_000 })
  let trail = empty()
  let count = 0
  return {
    append(event) {
      count += 1
      return trail.append(event)
    },
    flush: async () => trail.flush(),
    close: async () => trail.close(),
    get count() {
      return count
    },
    clear() {
      trail = empty()
      count = 0
    },
  }
}
