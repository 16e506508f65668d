import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const START_TIMEOUT_MS = 30_000

/** Starts one role as a process of its own, and resolves when it says that it answers. */
export async function startProcess(role: 'broker' | 'api' | 'agent', args: readonly string[]): Promise<ChildProcess> {
  const child = fork(new URL(`./services/${role}.js`, import.meta.url) /* beside dist/main.js */, [...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-2000)
  })
  const stop = new AbortController()
  const late = setTimeout(() => stop.abort(), START_TIMEOUT_MS)
  try {
    await Promise.race([
      once(child, 'message', { signal: stop.signal }),
      once(child, 'exit', { signal: stop.signal }).then(([code]) => {
        throw new Error(`${role} ended with code ${String(code)} before it answered\n${complaint}`)
      }),
    ])
    return child
  } finally {
    clearTimeout(late)
    stop.abort()
  }
}

/** Ends a process and waits until it is gone. */
export async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
