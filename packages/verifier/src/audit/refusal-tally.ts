import type { AuditEvent, AuditSink, RefusalReason } from '@hallpass/core'
import { isPromise } from '@hallpass/core'

export interface TallyOptions {
  readonly audit: AuditSink
  readonly source: string
  readonly audience: string
  readonly windowSeconds: number
  readonly nextId: () => string
}

interface Row {
  readonly id: string
  readonly since: number
  count: number
}

/** Refusals of traffic that proved nothing: counted per reason and window, one event each. */
export interface RefusalTally {
  /** Counts one refusal. Returns the id of the event that will stand for it. */
  note(reason: RefusalReason, now: number): string
  /** Writes the windows that are open. */
  flush(now: number): Promise<void>
}

/**
 * Bounds what strangers can make the trail grow by: one `traffic.refused` per reason and window, however many requests
 * there were. An event that cannot be written is kept and counted on, and tried again with the next window.
 */
export function createRefusalTally({ audit, source, audience, windowSeconds, nextId }: TallyOptions): RefusalTally {
  const rows = new Map<RefusalReason, Row>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const eventOf = (reason: RefusalReason, row: Row, now: number): AuditEvent => ({
    id: row.id,
    type: 'traffic.refused',
    time: now,
    source,
    aud: audience,
    reason,
    count: row.count,
    data: { since: row.since },
  })

  const write = async (reason: RefusalReason, now: number): Promise<void> => {
    const row = rows.get(reason)
    if (row === undefined) return
    rows.delete(reason)
    try {
      const appended = audit.append(eventOf(reason, row, now))
      if (isPromise(appended)) await appended
    } catch {
      const later = rows.get(reason)
      rows.set(reason, later === undefined ? row : { id: row.id, since: row.since, count: row.count + later.count })
      arm(now)
    }
  }

  const flush = async (now: number): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    await Promise.all([...rows.keys()].map(async (reason) => write(reason, now)))
  }

  // The window ends by the clock of the machine, so that a quiet hour after a burst does not keep it unwritten.
  const arm = (now: number): void => {
    if (timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      void flush(now + windowSeconds)
    }, windowSeconds * 1000)
    // Node keeps a process alive for a timer; a web runtime's timer is a number and does not.
    if (typeof timer === 'object') timer.unref()
  }

  return {
    note(reason, now) {
      const row = rows.get(reason)
      if (row !== undefined) {
        row.count += 1
        return row.id
      }
      const id = nextId()
      rows.set(reason, { id, since: now, count: 1 })
      arm(now)
      return id
    },
    flush,
  }
}
