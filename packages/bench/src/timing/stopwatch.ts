import { collectYoungGarbage, settleYoungGeneration } from './collect-garbage.ts'
import type { Cost, Work } from './work.ts'

/** Both in milliseconds, never going back. */
export interface Clocks {
  wall(): number
  cpu(): number
}

const systemClocks: Clocks = {
  wall: () => performance.now(),
  cpu() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
}

/**
 * Times slices of work and learns how many operations fill one. A slice begins with an empty young generation, and is
 * charged for moving what it left alive out of it.
 */
export interface Stopwatch {
  /** Runs one slice of about this many milliseconds; gives what one operation costs. */
  slice(work: Work, milliseconds: number): Promise<Cost>
  /** Runs until the work took this many milliseconds in all, so that it is compiled before it counts. */
  warmUp(work: Work, milliseconds: number): Promise<void>
}

const MAX_OPERATIONS = 2_000_000
/** Between two slices the guess may grow this much: a work that was slow once must not be timed in crumbs for ever. */
const MAX_GROWTH = 4

/**
 * What garbage collection will cost for what this slice left alive: it is copied twice, then it is out of the way. The
 * third collection finds nothing, and is what one costs anyway: a slice fills a small part of the space that one clears.
 */
function survivorCost(clocks: Clocks): Cost {
  const [first, second, empty] = [timeCollection(), timeCollection(), timeCollection()]
  const above = (measure: keyof Cost): number => Math.max(0, first[measure] + second[measure] - 2 * empty[measure])
  return { wall: above('wall'), cpu: above('cpu') }

  function timeCollection(): Cost {
    const [wallBefore, cpuBefore] = [clocks.wall(), clocks.cpu()]
    collectYoungGarbage()
    return { wall: clocks.wall() - wallBefore, cpu: clocks.cpu() - cpuBefore }
  }
}

export function createStopwatch(clocks: Clocks = systemClocks): Stopwatch {
  const known = new Map<Work, { readonly perOperation: number; readonly operations: number }>()

  async function time(work: Work, operations: number): Promise<Cost> {
    let [wall, cpu] = [0, 0]
    const cpuClock = (): number => (work.cpu === undefined ? clocks.cpu() : (work.cpu() ?? Number.NaN))
    for (let left = operations; left > 0; left -= work.batch ?? operations) {
      const batch = Math.min(left, work.batch ?? operations)
      await work.prepare?.(batch)
      if (left === operations) settleYoungGeneration()
      const [wallBefore, cpuBefore] = [clocks.wall(), cpuClock()]
      const running = work.run(batch)
      if (running !== undefined) await running
      cpu += cpuClock() - cpuBefore
      wall += clocks.wall() - wallBefore
    }
    const survivors = survivorCost(clocks)
    wall += survivors.wall
    cpu += work.cpu === undefined ? survivors.cpu : 0
    await work.after?.()
    known.set(work, { perOperation: wall / operations, operations })
    return { wall, cpu }
  }

  function operationsFor(work: Work, milliseconds: number): number {
    const last = known.get(work)
    if (last === undefined) return 1
    const wanted = Math.round(milliseconds / Math.max(last.perOperation, 1e-9))
    return Math.max(1, Math.min(wanted, last.operations * MAX_GROWTH, MAX_OPERATIONS))
  }

  return {
    async slice(work, milliseconds) {
      const operations = operationsFor(work, milliseconds)
      const { wall, cpu } = await time(work, operations)
      return { wall: (wall * 1e6) / operations, cpu: (cpu * 1e6) / operations }
    },
    async warmUp(work, milliseconds) {
      let spent = 0
      while (spent < milliseconds) {
        const { wall } = await time(work, operationsFor(work, milliseconds / 4))
        spent += Math.max(wall, 1e-3)
      }
    },
  }
}
