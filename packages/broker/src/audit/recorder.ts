import {
  HallpassError,
  isAftermath,
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
  /** Id, time and source of an event that its maker writes out in one piece and hands to `append`. */
  stamp(): Pick<AuditEvent, 'id' | 'time' | 'source'>
  /** Appends an event that is complete, or throws `audit-unavailable`; a promise only where there is something to wait for. */
  append(event: AuditEvent): MaybePromise<void>
  /** Appends now or as soon as the trail can: for refusals, ends and revocations, which happen either way. */
  note(type: EventType, facts: EventFacts): string
  /** Tries to write what is waiting; true when nothing waits any more. */
  drain(): Promise<boolean>
  /** Events that wait for the trail. */
  waiting(): number
}

/** Waiting events beyond this are only counted: refusals early, so that they leave room for what happened. */
const MAX_REFUSALS = 1000
const MAX_WAITING = 100_000

export function createRecorder(sink: AuditSink, source: string, clock: () => number): Recorder {
  const spool: AuditEvent[] = []
  let written = 0
  let lost = 0
  /** What tells of some that were lost, until a trail took it: one that refused it may have it all the same. */
  let telling: (AuditEvent & { readonly count: number }) | undefined
  let draining: Promise<boolean> | undefined

  const waiting = (): number => spool.length - written + lost

  const stamp = () => ({ id: randomId('ev_'), time: Math.round(clock() * 1000) / 1000, source })
  const make = (type: EventType, facts: EventFacts): AuditEvent => ({ ...stamp(), type, ...facts })

  const hold = (event: AuditEvent): void => {
    if (spool.length - written < (isAftermath(event.type) ? MAX_WAITING : MAX_REFUSALS)) spool.push(event)
    else lost += 1
  }

  async function writeSpool(): Promise<boolean> {
    try {
      for (let event = spool[written]; event !== undefined; event = spool[written]) {
        await sink.append(event)
        written += 1
      }
      spool.length = 0
      written = 0
      if (lost > 0) {
        const facts = { reason: 'audit-unavailable', detail: 'events there was no room for' }
        telling ??= { ...make('traffic.refused', facts), count: lost }
        await sink.append(telling)
        lost -= telling.count
        telling = undefined
      }
      return waiting() === 0
    } catch {
      return false
    }
  }

  const start = (): Promise<boolean> => {
    draining ??= writeSpool().finally(() => {
      draining = undefined
    })
    return draining
  }

  async function drain(): Promise<boolean> {
    // A run that began before this call may have met a trail that has come back since.
    return (draining !== undefined && (await draining)) || start()
  }

  function append(event: AuditEvent): MaybePromise<void> {
    // What happened first is written first; a trail that lost something takes nothing new.
    if (waiting() > 0) return appendAfterSpool(event)
    try {
      const appended = sink.append(event)
      return isPromise(appended) ? appended.catch(throwUnavailable) : undefined
    } catch {
      throw unavailable()
    }
  }

  async function appendAfterSpool(event: AuditEvent): Promise<void> {
    if (!(await drain())) throw unavailable()
    try {
      await sink.append(event)
    } catch {
      throw unavailable()
    }
  }

  return {
    stamp,
    append,
    async record(type, facts) {
      const event = make(type, facts)
      await append(event)
      return event.id
    },
    note(type, facts) {
      const event = writable(make(type, facts))
      if (waiting() > 0) {
        hold(event)
        void start()
        return event.id
      }
      try {
        const appended = sink.append(event)
        if (isPromise(appended)) appended.catch(() => hold(event))
      } catch {
        hold(event)
      }
      return event.id
    },
    drain,
    waiting,
  }
}

const MAX_EVENT_CHARS = 16_384
const MAX_TEXT_CHARS = 512

/** An event that no trail would ever take must not wait for one: what is long in it is cut. */
function writable(event: AuditEvent): AuditEvent {
  if (JSON.stringify(event).length <= MAX_EVENT_CHARS) return event
  const { data: _data, ...rest } = event
  const cut = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.slice(0, MAX_TEXT_CHARS) : value,
  ])
  return Object.fromEntries(cut) as AuditEvent
}

function throwUnavailable(): never {
  throw unavailable()
}

const unavailable = (): HallpassError =>
  new HallpassError('audit-unavailable', 'The audit trail did not take an event; check its storage')
