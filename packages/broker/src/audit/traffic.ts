import { randomId, type RefusalReason } from '@hallpass/core'
import type { Recorder } from './recorder.ts'

/** Counts refused requests that nobody is answerable for, one event per reason and window. */
export interface Traffic {
  /** Counts one and returns the id of the event that will tell how many there were. */
  refused(reason: RefusalReason): string
  /** Writes the windows that are over; with `all`, also those still open. */
  flush(all?: boolean): void
}

export const WINDOW_SECONDS = 60

/** State is bounded by the number of reasons there are. */
export function createTraffic(recorder: Recorder, clock: () => number): Traffic {
  const open = new Map<RefusalReason, { readonly id: string; readonly since: number; count: number }>()

  const close = (reason: RefusalReason): void => {
    const window = open.get(reason)
    if (window === undefined) return
    open.delete(reason)
    const { id, since, count } = window
    recorder.note('traffic.refused', { id, reason, count, data: { since, seconds: WINDOW_SECONDS } })
  }
  const isOver = (since: number): boolean => clock() - since >= WINDOW_SECONDS

  return {
    refused(reason) {
      const last = open.get(reason)
      if (last && isOver(last.since)) close(reason)
      const window = open.get(reason) ?? { id: randomId('ev_'), since: Math.floor(clock()), count: 0 }
      window.count += 1
      open.set(reason, window)
      return window.id
    },
    flush(all = false) {
      for (const [reason, { since }] of open) if (all || isOver(since)) close(reason)
    },
  }
}
