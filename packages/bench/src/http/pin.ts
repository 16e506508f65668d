import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Servers have core 0 to themselves and the load core 1, so that neither takes the other's time. */
export const SERVER_CORE = '0'
const LOAD_CORE = '1'

const taskset = (...args: readonly string[]): boolean => spawnSync('taskset', args).status === 0

/** Asked before anything is pinned: afterwards Node counts only the cores it is left with. */
const CORES = availableParallelism()

export const canPin = CORES > 1 && taskset('-c', SERVER_CORE, 'true')

/** Moves this process, all threads of it, to the core of the load; gives the way back. */
export function pinLoad(): () => void {
  if (!canPin) return () => {}
  const pid = String(process.pid)
  taskset('-a', '-c', '-p', LOAD_CORE, pid)
  return () => void taskset('-a', '-c', '-p', `0-${CORES - 1}`, pid)
}
