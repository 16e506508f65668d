import { availableParallelism } from 'node:os'
import { startLoop } from '../process/start-loop.ts'
import type { RunningLoop } from '../process/start-loop.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { must } from './must.ts'
import type { Suite } from './suite.ts'

const PROCESSES = 2

const row: RowAim = {
  id: 'scale.processes',
  aim: null,
  better: 'higher',
  measure: 'wall',
  baseline: 'one such process',
  work: 'warm token and proof in two processes at once, each with a verifier and a memory ledger of its own',
}

/** Shares the operations out to processes that run at the same time. */
function together(loops: readonly RunningLoop[]): Work {
  const tellAll = async (order: Parameters<RunningLoop['tell']>[0]): Promise<void> => {
    await Promise.all(loops.map((loop) => loop.tell(order)))
  }
  return {
    cpu: () => loops.reduce((sum, loop) => sum + (loop.cpu() ?? Number.NaN), 0),
    prepare: (operations) => tellAll({ prepare: Math.ceil(operations / loops.length) }),
    run: () => tellAll('run'),
  }
}

export const scale: Suite = {
  rows: [row],
  pace: {
    full: { rounds: 31, slice: 150, baselineSlice: 80, warmUp: 1000 },
    quick: { rounds: 5, slice: 60, baselineSlice: 40, warmUp: 200 },
  },
  open: async () => {
    const loops = await Promise.all(Array.from({ length: PROCESSES }, startLoop))
    const check = async (): Promise<void> => {
      must(availableParallelism() >= PROCESSES, 'there is a core for each process')
      // A loop throws, and its process ends, where an honest call is not admitted.
      const all = together(loops)
      await all.prepare?.(64 * PROCESSES)
      await all.run(64 * PROCESSES)
    }
    return {
      entries: [{ id: row.id, check, work: together(loops), baseline: together(loops.slice(0, 1)) }],
      async close() {
        for (const loop of loops) loop.stop()
      },
    }
  },
}
