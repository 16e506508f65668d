import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MOST_TURNS = 10
/** A turn that frees less than this part of it was the last one. */
const SETTLED = 0.0001

/** What the process holds after its garbage is gone: the heap and what lies beside it, in bytes. */
export async function held(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let before = Number.POSITIVE_INFINITY
  // What the rows before left behind is let go of in several turns.
  for (let turns = 0; turns < MOST_TURNS; turns += 1) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = inUse()
    if (turns > 1 && before - now < before * SETTLED) return now
    before = now
  }
  return before
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
