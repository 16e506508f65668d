import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late a server's event loop was, in milliseconds, while it was under load. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const RESOLUTION_MS = 2

/** Watches this process's event loop. Each reading is of the time since the last. */
export function watchLoopDelay(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  // What it counts is the time between two ticks of its own timer, which a quiet loop lets pass too.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  return () => {
    const { max } = histogram
    const delay = { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(max) }
    histogram.reset()
    return delay
  }
}
