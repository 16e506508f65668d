import {
  HallpassError,
  isPromise,
  randomId,
  type AuditEvent,
  type AuditSink,
  type EventType,
  type MaybePromise,
} from '@hallpass/core'

export type EventFacts = Omit<AuditEvent, 'id' | 'type' | 'time' | 'source'> & { readonly id?: string }

/** Writes the broker's events: before the deed where it must be recorded, after it where it must be done. */
export interface Recorder {
  /** Appends or throws `audit-unavailable`: what cannot be recorded is not allowed. Returns the event's id. */
  record(type: EventType, facts: EventFacts): Promise<string>
  /** Appends an event of somebody else's making, or throws `audit-unavailable`. */
  append(event: AuditEvent): Promise<void>
  /** Appends now or as soon as the trail can: for refusals, ends and revocations, which happen either way. */
  note(type: EventType, facts: EventFacts): string
  /** Tries to write what is waiting; true when nothing waits any more. */
  drain(): Promise<boolean>
  /** Events that wait for the trail. */
  waiting(): number
}

/** Beyond this many waiting events only their number is kept. */
const MAX_WAITING = 10_000

export function createRecorder(sink: AuditSink, source: string, clock: () => number): Recorder {
  let spool: AuditEvent[] = []
  let dropped = 0
  let draining: Promise<boolean> | undefined

  const make = (type: EventType, facts: EventFacts): AuditEvent => ({
    ...facts,
    id: facts.id ?? randomId('ev_'),
    type,
    time: Math.round(clock() * 1000) / 1000,
    source,
  })

  const hold = (event: AuditEvent): void => {
    if (spool.length < MAX_WAITING) spool.push(event)
    else dropped += 1
  }

  async function empty(): Promise<boolean> {
    while (spool.length > 0) {
      const [event] = spool
      if (event === undefined) break
      try {
        await sink.append(event)
      } catch {
        return false
      }
      spool = spool.slice(1)
    }
    if (dropped === 0) return true
    const count = dropped
    try {
      await sink.append(make('traffic.refused', { count, detail: 'events the trail could not take in time' }))
      dropped -= count
      return true
    } catch {
      return false
    }
  }

  const drain = (): Promise<boolean> => {
    draining ??= empty().finally(() => {
      draining = undefined
    })
    return draining
  }

  async function append(event: AuditEvent): Promise<void> {
    // What happened first is written first; a trail that lost something takes nothing new.
    if ((spool.length > 0 || dropped > 0) && !(await drain())) throw unavailable()
    try {
      const written: MaybePromise<void> = sink.append(event)
      if (isPromise(written)) await written
    } catch {
      throw unavailable()
    }
  }

  return {
    append,
    async record(type, facts) {
      const event = make(type, facts)
      await append(event)
      return event.id
    },
    note(type, facts) {
      const event = make(type, facts)
      if (spool.length > 0) {
        hold(event)
        void drain()
        return event.id
      }
      try {
        const written = sink.append(event)
        if (isPromise(written)) written.catch(() => hold(event))
      } catch {
        hold(event)
      }
      return event.id
    },
    drain,
    waiting: () => spool.length + dropped,
  }
}

const unavailable = (): HallpassError =>
  new HallpassError('audit-unavailable', 'The audit trail did not take an event; check its storage')
