import { randomId } from '@hallpass/core'
import type { Use } from '../use/use.ts'

/** More handles than this are not given out: the caller waits, nothing is forgotten to make room. */
const MAX_OPEN = 100_000

interface Entry {
  readonly use: Use
  readonly until: number
}

/** Room for one use that is about to be spent. Taken before, since a use that is spent cannot be turned away. */
export interface HandlePlace {
  /** Puts the use there, and answers the handle that the backend gets. */
  keep(use: Use, now: number): string
  /** Gives the place back where there is no use to keep. */
  free(): void
}

/** Uses whose outcome a backend still has to report, by a handle that only it knows. */
export interface OpenHandles {
  /** Undefined where every place is taken. */
  claim(now: number): HandlePlace | undefined
  /** Takes a use out; undefined where the handle is unknown, used or too old. */
  take(handle: string, now: number): Use | undefined
}

/** @param seconds how long an outcome may be reported; after that the lease of the ledger says `unknown`. */
export function createOpenHandles(seconds: number, maxOpen = MAX_OPEN): OpenHandles {
  // In the order they were given out, so that the oldest stands first.
  const entries = new Map<string, Entry>()
  let claimed = 0
  const forgetOld = (now: number): void => {
    for (const [handle, { until }] of entries) {
      if (now < until) return
      entries.delete(handle)
    }
  }
  return {
    claim(now) {
      forgetOld(now)
      if (entries.size + claimed >= maxOpen) return undefined
      claimed += 1
      let isOpen = true
      const free = (): void => {
        if (isOpen) claimed -= 1
        isOpen = false
      }
      return {
        free,
        keep(use, at) {
          free()
          const handle = randomId('use_')
          entries.set(handle, { use, until: at + seconds })
          return handle
        },
      }
    },
    take(handle, now) {
      const entry = entries.get(handle)
      entries.delete(handle)
      return entry !== undefined && now < entry.until ? entry.use : undefined
    },
  }
}
