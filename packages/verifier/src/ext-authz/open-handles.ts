import { randomId } from '@hallpass/core'
import type { Use } from '../use/use.ts'

/** More handles than this are not given out: the caller waits, nothing is forgotten to make room. */
const MAX_OPEN = 100_000

interface Entry {
  readonly use: Use
  readonly until: number
}

/** Uses whose outcome a backend still has to report, by a handle that only it knows. */
export interface OpenHandles {
  readonly isFull: (now: number) => boolean
  keep(use: Use, now: number): string
  /** Takes a use out; undefined where the handle is unknown, used or too old. */
  take(handle: string, now: number): Use | undefined
}

/** @param seconds how long an outcome may be reported; after that the lease of the ledger says `unknown`. */
export function createOpenHandles(seconds: number): OpenHandles {
  // In the order they were given out, so that the oldest stands first.
  const entries = new Map<string, Entry>()
  const forgetOld = (now: number): void => {
    for (const [handle, { until }] of entries) {
      if (now < until) return
      entries.delete(handle)
    }
  }
  return {
    isFull(now) {
      forgetOld(now)
      return entries.size >= MAX_OPEN
    },
    keep(use, now) {
      const handle = randomId('use_')
      entries.set(handle, { use, until: now + seconds })
      return handle
    },
    take(handle, now) {
      const entry = entries.get(handle)
      entries.delete(handle)
      return entry !== undefined && now < entry.until ? entry.use : undefined
    },
  }
}
