import { HallpassError } from '../fault.ts'
import { isAftermath } from './aftermath.ts'
import { createChain } from './chain.ts'
import type { Trail } from './event.ts'
import { selectLines } from './event-filter.ts'

export interface MemoryTrailOptions {
  /** Events it holds before it refuses; default 100 000. Aftermath may take as many again. */
  readonly maxEvents?: number
}

/** A trail in memory, with its lines as text. */
export interface MemoryTrail extends Trail {
  /** The chained lines, as a file would hold them. */
  lines(): readonly string[]
}

/**
 * A trail that lives as long as the process: for tests, development and examples. Nothing is dropped to make room.
 * Full or closed, `append` throws HallpassError `audit-unavailable`, so that what cannot be recorded is not allowed.
 */
export function memoryTrail({ maxEvents = 100_000 }: MemoryTrailOptions = {}): MemoryTrail {
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) {
    throw new HallpassError('configuration-invalid', 'memoryTrail({ maxEvents }) takes a whole number of 1 or more')
  }
  const chain = createChain()
  const lines: string[] = []
  let closed = false
  return {
    append(event) {
      if (closed) throw new HallpassError('audit-unavailable', 'The trail is closed; open it before the broker starts')
      if (lines.length >= (isAftermath(event.type) ? 2 * maxEvents : maxEvents)) {
        throw new HallpassError(
          'audit-unavailable',
          `The memory trail holds its ${maxEvents} events and drops none; use fileTrail() or raise maxEvents`,
        )
      }
      lines.push(chain.next(event))
    },
    flush: async () => {},
    close: async () => {
      closed = true
    },
    async holds(events) {
      const held = new Set(selectLines(lines).map(({ id, source }) => `${id} ${source}`))
      return events.filter(({ id, source }) => held.has(`${id} ${source}`))
    },
    events: async (filter) => selectLines(lines, filter),
    lines: () => [...lines],
  }
}
