import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Order, Report, RoleTask } from '../role/messages.ts'
import type { MemorySample } from '../world/records.ts'

/** One place of the run, and the process that fills it now. */
export interface Member {
  readonly name: string
  readonly role: RoleTask['role']
  /** Samples of the process that is there now; a killed one's are of no use. */
  readonly memory: readonly MemorySample[]
  /** Times its process ended though nobody had told it to. */
  readonly deaths: number
  /** Whether the process that is there now has said that it is ready. */
  readonly isUp: boolean
  say(order: Order): void
  /** SIGKILL. The next process comes by itself, a while later. */
  kill(): void
  /** Lets it end in its own time; false where it did not. */
  stop(patienceMs: number): Promise<boolean>
}

export interface MemberSetup {
  /** The built program that plays every role. */
  readonly program: string
  readonly task: RoleTask
  readonly hear: (report: Report) => void
  /** How long a place stays empty after a kill. */
  readonly emptyMs: () => number
}

const START_MS = 60_000

/** Starts a process and resolves when it is ready; keeps its place filled until it is told to stop. */
export async function startMember({ program, task, hear, emptyMs }: MemberSetup): Promise<Member> {
  let child: ChildProcess | undefined
  let memory: MemorySample[] = []
  let deaths = 0
  let isStopping = false
  let isUp = false
  let isReady = (): void => {}
  let failed = (_error: Error): void => {}
  let ended = Promise.resolve()

  const launch = (): void => {
    memory = []
    const started = spawn(process.execPath, [program, '--role', JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child = started
    started.on('error', () => {})
    started.on('message', (message) => {
      const report = message as Report
      if (report.kind === 'memory') memory.push(report.sample)
      if (report.kind === 'ready') {
        isUp = true
        isReady()
      }
      if (report.kind === 'failed') failed(new Error(`${task.name} did not start: ${report.what}`))
      hear(report)
    })
    ended = new Promise((resolve) => {
      started.once('close', () => {
        resolve()
        isUp = false
        if (isStopping) return
        deaths += 1
        void delay(emptyMs()).then(() => isStopping || launch())
      })
    })
  }

  await new Promise<void>((resolve, reject) => {
    isReady = resolve
    failed = reject
    setTimeout(() => reject(new Error(`${task.name} did not start in time`)), START_MS).unref()
    launch()
  }).catch((error: unknown) => {
    isStopping = true
    child?.kill('SIGKILL')
    throw error
  })
  failed = () => {}
  const say = (order: Order): void => {
    if (child?.connected === true) child.send(order, () => {})
  }
  return {
    name: task.name,
    role: task.role,
    say,
    get memory() {
      return memory
    },
    get deaths() {
      return deaths
    },
    get isUp() {
      return isUp
    },
    kill() {
      isUp = false
      child?.kill('SIGKILL')
    },
    async stop(patienceMs) {
      isStopping = true
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return true
      say({ kind: 'stop' })
      const inTime = await Promise.race([ended.then(() => true), delay(patienceMs, false, { ref: false })])
      if (!inTime) child.kill('SIGKILL')
      await ended
      return inTime
    },
  }
}
