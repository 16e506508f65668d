import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export type Role = 'issuer' | 'broker' | 'orders-api' | 'inventory-api' | 'agent'

const START_TIMEOUT_MS = 30_000

/** Starts one role as a process of its own and waits until it answers. */
export const startProcess = async (
  role: Role,
  setupFile: string,
  onReady: (message: unknown) => void = () => {},
): Promise<ChildProcess> => {
  const child = fork(new URL(`./services/${role}.js`, import.meta.url) /* beside dist/main.js */, [setupFile], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-2000)
  })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${role} did not answer in time\n${complaint}`)), START_TIMEOUT_MS)
    child.once('message', (message) => {
      clearTimeout(timer)
      onReady(message)
      resolve()
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`${role} ended with code ${code} before it answered\n${complaint}`))
    })
  })
  return child
}

/** Asks a process to finish, as an orchestrator would, and waits until it has. */
export const stopProcess = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
