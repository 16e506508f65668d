import type { Engine } from '../engine.ts'
import { sweep } from './sweep.ts'

/** Sweeps by itself every so often, and when a request comes after a longer silence. */
export interface Sweeper {
  /** Sweeps if it is time, without making anybody wait. */
  nudge(): void
  now(): Promise<void>
  stop(): void
}

const DEFAULT_SECONDS = 5

/** With `everySeconds` 0 there is no timer, and only `nudge` and `now` sweep. The timer keeps no process alive. */
export function createSweeper(engine: Engine, everySeconds: number = DEFAULT_SECONDS): Sweeper {
  let last = engine.clock()
  let running: Promise<void> | undefined

  const now = (): Promise<void> => {
    last = engine.clock()
    running ??= attempt(engine).finally(() => {
      running = undefined
    })
    return running
  }
  const timer = everySeconds > 0 ? setInterval(() => void now(), everySeconds * 1000) : undefined
  timer?.unref()

  return {
    nudge() {
      if (engine.clock() - last >= (everySeconds || DEFAULT_SECONDS)) void now()
    },
    now,
    stop: () => clearInterval(timer),
  }
}

/** A ledger that does not answer now is swept next time. */
async function attempt(engine: Engine): Promise<void> {
  try {
    await sweep(engine)
  } catch {
    // The next sweep finds what this one could not.
  }
}
