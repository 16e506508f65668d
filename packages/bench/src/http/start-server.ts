import { fork } from 'node:child_process'
import { processorTime } from '../process/processor-time.ts'
import type { LoopDelay } from './loop-delay.ts'
import { canPin, SERVER_CORE } from './pin.ts'
import type { Listening, ServerKind } from './server-kind.ts'

/** A server process that listens. */
export interface RunningServer extends Listening {
  /** Processor time of all its threads, in milliseconds; undefined where the system does not tell. */
  cpu(): number | undefined
  /** How late its event loop was since this was asked last. */
  loopDelay(): Promise<LoopDelay>
  stop(): void
}

const START_MS = 30_000

/** Starts one server in a process of its own, pinned to core 0 where that is possible. */
export function startServer(kind: ServerKind): Promise<RunningServer> {
  const main = process.argv[1]
  if (main === undefined) throw new Error('The bench does not know its own file.')
  const pin = canPin ? { execPath: 'taskset', execArgv: ['-c', SERVER_CORE, process.execPath] } : { execArgv: [] }
  const child = fork(main, ['serve', kind], {
    ...pin,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`The server ${kind} did not listen within ${START_MS / 1000} s.`))
    }, START_MS)
    const fail = (error: Error): void => {
      clearTimeout(late)
      reject(error)
    }
    child.once('error', fail)
    child.once('exit', (code) => fail(new Error(`The server ${kind} ended with ${code} before it listened.`)))
    child.once('message', (message) => {
      clearTimeout(late)
      resolve({
        ...(message as Listening),
        cpu: () => processorTime(child.pid),
        loopDelay: () =>
          new Promise((answered) => {
            child.once('message', (delay) => answered(delay as LoopDelay))
            child.send('loop-delay')
          }),
        stop: () => child.disconnect(),
      })
    })
  })
}
