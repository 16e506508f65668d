import { HallpassError } from '../fault.ts'
import type { MaybePromise } from '../result.ts'
import { isPromise } from '../result.ts'
import type { AuditEvent, AuditSink } from './event.ts'

export interface EventMergerOptions {
  /** Ids remembered for each source; default 10 000. */
  readonly idsPerSource?: number
  /** Sources remembered, the one silent for longest is forgotten first; default 1000. */
  readonly maxSources?: number
}

export interface EventMerger {
  /** Appends those that are new and answers how many were. What it does not accept is safe to send again. */
  merge(events: readonly AuditEvent[]): MaybePromise<number>
  /** Marks events as known without appending them: those this process recorded itself, or read back at start. */
  know(events: Iterable<Pick<AuditEvent, 'id' | 'source'>>): void
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new HallpassError('configuration-invalid', `createEventMerger({ ${name} }) takes a whole number of 1 or more`)
}

/**
 * Appends events of other processes to this chain, each once: an event that comes again with the same source and id is
 * dropped. They keep their own id, source and time; their place in the chain says when they arrived.
 *
 * Memory is bounded, so an event that is sent again after `idsPerSource` others of its source, or after a restart
 * without `know`, is recorded twice. Readers take two lines with one source and id for one event.
 */
export function createEventMerger(trail: AuditSink, options: EventMergerOptions = {}): EventMerger {
  const idsPerSource = wholeNumber(options.idsPerSource ?? 10_000, 'idsPerSource')
  const maxSources = wholeNumber(options.maxSources ?? 1000, 'maxSources')
  const sources = new Map<string, Set<string>>()

  const idsOf = (source: string): Set<string> => {
    const ids = sources.get(source) ?? new Set<string>()
    sources.delete(source)
    sources.set(source, ids) // newest last
    const [oldest] = sources.keys()
    if (sources.size > maxSources && oldest !== undefined) sources.delete(oldest)
    return ids
  }
  const remember = ({ source, id }: Pick<AuditEvent, 'id' | 'source'>): void => {
    const ids = idsOf(source)
    ids.add(id)
    const [oldest] = ids
    if (ids.size > idsPerSource && oldest !== undefined) ids.delete(oldest)
  }

  return {
    merge(events) {
      const waiting: Promise<void>[] = []
      let accepted = 0
      let known = false
      for (const event of events) {
        if (idsOf(event.source).has(event.id)) {
          known = true
          continue
        }
        // Before remembering: what could not be appended must be accepted when it is sent again.
        const appended = trail.append(event)
        remember(event)
        accepted += 1
        if (isPromise(appended)) {
          waiting.push(
            appended.catch((error: unknown) => {
              sources.get(event.source)?.delete(event.id)
              throw error
            }),
          )
        }
      }
      // The first copy may still be on its way to the disk: nobody may hear "recorded" before it is.
      if (known) waiting.push(trail.flush())
      return waiting.length === 0 ? accepted : Promise.all(waiting).then(() => accepted)
    },
    know(events) {
      for (const event of events) remember(event)
    },
  }
}
