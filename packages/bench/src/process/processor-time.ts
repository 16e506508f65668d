import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds that all threads of a process have run, where Linux says so: in nanoseconds for each. */
export function processorTime(pid: number | undefined): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const run = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    )
    return run.reduce((sum, one) => sum + one, 0) / 1e6
  } catch {
    return undefined
  }
}
