import { randomId, type RefusalReason } from '@hallpass/core'
import type { Recorder } from './recorder.ts'

/** Counts refused requests that nobody is answerable for, one event per reason and window; with a caller where one is known. */
export interface Traffic {
  /** Counts one and returns the id of the event that will tell how many there were. */
  refused(reason: RefusalReason, caller?: string): string
  /** Writes the windows that are over; with `all`, also those still open. */
  flush(all?: boolean): void
}

export const WINDOW_SECONDS = 60

/** State is bounded by the number of reasons and registered callers there are. */
export function createTraffic(recorder: Recorder, clock: () => number): Traffic {
  const open = new Map<string, Window>()

  const close = (key: string): void => {
    const window = open.get(key)
    if (window === undefined) return
    open.delete(key)
    const { id, since, count, reason, caller } = window
    recorder.note('traffic.refused', {
      id,
      reason,
      count,
      ...(caller === undefined ? {} : { client_id: caller }),
      data: { since, seconds: WINDOW_SECONDS },
    })
  }
  const isOver = (since: number): boolean => clock() - since >= WINDOW_SECONDS

  return {
    refused(reason, caller) {
      const key = caller === undefined ? reason : `${reason} ${caller}`
      const last = open.get(key)
      if (last && isOver(last.since)) close(key)
      const window = open.get(key) ?? { id: randomId('ev_'), since: Math.floor(clock()), count: 0, reason, caller }
      window.count += 1
      open.set(key, window)
      return window.id
    },
    flush(all = false) {
      for (const [key, { since }] of open) if (all || isOver(since)) close(key)
    },
  }
}

interface Window {
  readonly id: string
  readonly since: number
  readonly reason: RefusalReason
  readonly caller: string | undefined
  count: number
}
