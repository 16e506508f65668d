import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { processorTime } from './processor-time.ts'
import type { LoopOrder } from './verify-loop.ts'

/** A process that verifies when it is told to. */
export interface RunningLoop {
  /** Resolves once it has done what it was told. */
  tell(order: LoopOrder): Promise<void>
  /** Processor time of all its threads, in milliseconds; undefined where the system does not tell. */
  cpu(): number | undefined
  stop(): void
}

export async function startLoop(): Promise<RunningLoop> {
  const main = process.argv[1]
  if (main === undefined) throw new Error('The bench does not know its own file.')
  const child = fork(main, ['verify-loop'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await answer(child)
  return {
    async tell(order) {
      const done = answer(child)
      child.send(order)
      await done
    },
    cpu: () => processorTime(child.pid),
    stop: () => child.disconnect(),
  }
}

async function answer(child: ChildProcess): Promise<void> {
  const gone = new AbortController()
  const ended = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
    throw new Error(`A verifying process ended with ${String(code)}.`)
  })
  try {
    await Promise.race([once(child, 'message', { signal: gone.signal }), ended])
  } finally {
    ended.catch(() => undefined)
    gone.abort()
  }
}
