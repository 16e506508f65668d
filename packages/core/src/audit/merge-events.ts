import { HallpassError } from '../fault.ts'
import type { MaybePromise } from '../result.ts'
import { isPromise } from '../result.ts'
import type { AuditEvent, AuditSink } from './event.ts'
import { FairMap } from './fair-map.ts'
import { nameOfSource } from './origin.ts'
import { createSourceChains } from './source-chains.ts'

export interface EventMergerOptions {
  /** Ids remembered for each source; default 10 000. */
  readonly idsPerSource?: number
  /** Sources remembered, the one silent for longest is forgotten first; default 1000, half of them of one API. The same for chains. */
  readonly maxSources?: number
  /** Id, time and source for what the merger finds itself: `trail.gap`. Without it such findings are not written. */
  readonly stamp?: () => Pick<AuditEvent, 'id' | 'time' | 'source'>
}

export interface EventMerger {
  /** Appends those that are new and answers how many were. What it does not accept is safe to send again. */
  merge(events: readonly AuditEvent[]): MaybePromise<number>
  /** Whether it remembers this event. */
  has(event: Pick<AuditEvent, 'id' | 'source'>): boolean
  /** Marks events as known without appending them: those this process recorded itself, or read back at start. */
  know(events: Iterable<Pick<AuditEvent, 'id' | 'source' | 'origin'>>): void
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new HallpassError('configuration-invalid', `createEventMerger({ ${name} }) takes a whole number of 1 or more`)
}

/**
 * Appends events of other processes to this chain, each once: an event that comes again with the same source and id is
 * dropped. They keep their own id, source and time; their place in the chain says when they arrived.
 *
 * An event with an `origin` must follow the last one of its chain. Where it does not, it is appended all the same, after
 * a `trail.gap` that says what was expected: nothing is lost, and nothing passes unseen.
 *
 * Memory is bounded, so an event that is sent again after `idsPerSource` others of its source, or after a restart
 * without `know`, is recorded twice. Readers take two lines with one source and id for one event.
 */
export function createEventMerger(trail: AuditSink, options: EventMergerOptions = {}): EventMerger {
  const idsPerSource = wholeNumber(options.idsPerSource ?? 10_000, 'idsPerSource')
  const maxSources = wholeNumber(options.maxSources ?? 1000, 'maxSources')
  const { stamp } = options
  const sources = new FairMap<Set<string>>(maxSources, nameOfSource)
  const chains = createSourceChains(maxSources)

  const idsOf = (source: string): Set<string> => {
    const ids = sources.get(source) ?? new Set<string>()
    sources.set(source, ids)
    return ids
  }
  const remember = (event: Pick<AuditEvent, 'id' | 'source' | 'origin'>): void => {
    const ids = idsOf(event.source)
    ids.add(event.id)
    const [oldest] = ids
    if (ids.size > idsPerSource && oldest !== undefined) ids.delete(oldest)
    chains.follow(event)
  }
  const append = (event: AuditEvent): MaybePromise<void> => {
    const gap = stamp && chains.gapBefore(event)
    const told = gap && trail.append({ ...stamp(), type: 'trail.gap', ...gap })
    const appended = trail.append(event)
    return told === undefined ? appended : Promise.all([told, appended]).then(() => {})
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
        let appended: MaybePromise<void>
        try {
          appended = append(event)
        } catch (error) {
          if (waiting.length === 0) throw error
          // Those before it are still on their way, and may fail too.
          return Promise.all(waiting).then(() => {
            throw error
          })
        }
        remember(event)
        accepted += 1
        if (isPromise(appended)) {
          waiting.push(
            appended.catch((error: unknown) => {
              sources.get(event.source)?.delete(event.id)
              chains.forget(event)
              throw error
            }),
          )
        }
      }
      // The first copy may still be on its way to the disk: nobody may hear "recorded" before it is.
      if (known) waiting.push(trail.flush())
      return waiting.length === 0 ? accepted : Promise.all(waiting).then(() => accepted)
    },
    has: ({ id, source }) => sources.get(source)?.has(id) ?? false,
    know(events) {
      for (const event of events) remember(event)
    },
  }
}
