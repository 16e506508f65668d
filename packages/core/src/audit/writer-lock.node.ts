import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { HallpassError } from '../fault.ts'
import { systemCode } from './system-code.node.ts'

interface Holder {
  readonly pid: number
  /** Start time of the process where the system tells it, so that a recycled pid is not taken for its owner. */
  readonly started: string
  readonly host: string
  readonly nonce: string
}

export interface WriterLock {
  /** False once the lock file is not ours any more. */
  held(): boolean
  release(): void
}

function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22, counted after the command name, which may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>
    const whole =
      Number.isSafeInteger(holder.pid) && typeof holder.host === 'string' && typeof holder.nonce === 'string'
    return whole ? (holder as Holder) : undefined
  } catch {
    return undefined
  }
}

/** Only a process that is certainly gone is dead: unknown content and other machines count as alive. */
function isDead(holder: Holder): boolean {
  if (holder.host !== hostname()) return false
  if (!isAlive(holder.pid)) return true
  const started = startOf(holder.pid)
  return started !== '' && holder.started !== '' && started !== holder.started
}

function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Moves a dead holder's lock away. If another process was faster, what was moved is its live lock: put it back. */
function clearDead(file: string, dead: Holder, aside: string): void {
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  if (readHolder(aside)?.nonce !== dead.nonce) tryLink(aside, file)
  rmSync(aside, { force: true })
}

function busy(path: string, file: string): HallpassError {
  const holder = readHolder(file)
  const who = holder === undefined ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`
  return new HallpassError(
    'audit-unavailable',
    `Only one process may write the trail ${path}, and ${who} holds it. ` +
      `Give each process a file of its own; if that process is gone, delete ${file}`,
  )
}

/**
 * Takes the one writer's place for a file: `<path>.lock`, created whole by a hard link so that it is never seen half
 * written. A dead process of this machine loses it to the next; one of another machine (a shared disk) does not.
 */
export function takeWriterLock(path: string): WriterLock {
  const file = `${path}.lock`
  const nonce = randomUUID()
  const own = `${file}.${nonce}`
  const holder: Holder = { pid: process.pid, started: startOf(process.pid), host: hostname(), nonce }
  writeFileSync(own, JSON.stringify(holder), { mode: 0o600, flag: 'wx' })
  try {
    let taken = tryLink(own, file)
    const other = taken ? undefined : readHolder(file)
    if (other !== undefined && isDead(other)) {
      clearDead(file, other, `${own}.dead`)
      taken = tryLink(own, file)
    }
    if (!taken) throw busy(path, file)
  } finally {
    rmSync(own, { force: true })
  }
  const { ino } = statSync(file)
  const held = (): boolean => {
    try {
      return statSync(file).ino === ino
    } catch {
      return false
    }
  }
  return {
    held,
    release() {
      if (held()) rmSync(file, { force: true })
    },
  }
}
