import { HallpassError } from '@hallpass/core'
import { Write, readLife } from './life.ts'
import { rollBack } from './open-file.ts'
import type { SqliteFile } from './sqlite-file.ts'
import type { Trouble } from './trouble.ts'
import { troubleOf } from './trouble.ts'

/** More in one transaction would hold up the process, and the others that wait for the file. */
const MOST_AT_ONCE = 256
const RETRY_MS = { least: 1, most: 16 } as const

interface Waiting {
  readonly since: number
  run(write: Write): void
  answer(): void
  fail(error: unknown): void
}

export interface GroupCommitOptions {
  readonly clockUs: () => number
  readonly busyMs: number
  readonly maxWaiting: number
  /** Told of the life every transaction found. */
  readonly onWrite: (write: Write) => void
}

/**
 * Runs all that was asked for within one turn of the event loop in one transaction, and answers after its COMMIT: one
 * flush of the disk for many. An operation that fails takes the others back with it, and then each runs on its own.
 */
export class GroupCommit {
  readonly #file: SqliteFile
  readonly #options: GroupCommitOptions
  #waiting: Waiting[] = []
  #scheduled = false
  #idle: (() => void)[] = []

  constructor(file: SqliteFile, options: GroupCommitOptions) {
    this.#file = file
    this.#options = options
  }

  /** `work` must change nothing but the file: it may run twice, and only what is committed counts. */
  async run<T>(work: (write: Write) => T): Promise<T> {
    if (this.#waiting.length >= this.#options.maxWaiting) throw unavailable('Too many operations wait for the file')
    return new Promise<T>((resolve, reject) => {
      let result: T
      this.#waiting.push({
        since: performance.now(),
        run(write) {
          result = work(write)
        },
        answer: () => resolve(result),
        fail: reject,
      })
      this.#schedule(0)
    })
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    if (this.#waiting.length === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const flush = (): void => {
      this.#scheduled = false
      this.#flush()
    }
    if (delayMs === 0) setImmediate(flush)
    else setTimeout(flush, delayMs)
  }

  #flush(): void {
    const group = this.#waiting.slice(0, MOST_AT_ONCE)
    const trouble = this.#commit(group)
    if (trouble?.kind === 'busy') return this.#waitForFile()
    this.#waiting.splice(0, group.length)
    if (trouble === undefined) for (const each of group) each.answer()
    else if (group.length === 1) group[0]?.fail(failureOf(trouble))
    else this.#commitEach(group)
    if (this.#waiting.length > 0) this.#schedule(0)
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  #commitEach(group: readonly Waiting[]): void {
    for (const each of group) {
      const trouble = this.#commit([each])
      if (trouble === undefined) each.answer()
      else each.fail(failureOf(trouble))
    }
  }

  #commit(group: readonly Waiting[]): { readonly kind: Trouble; readonly cause: unknown } | undefined {
    try {
      this.#file.exec('BEGIN IMMEDIATE')
    } catch (cause) {
      return { kind: troubleOf(cause), cause }
    }
    try {
      const write = new Write(this.#file, readLife(this.#file), this.#options.clockUs())
      for (const each of group) each.run(write)
      write.keepTime()
      this.#file.exec('COMMIT')
      this.#options.onWrite(write)
      return undefined
    } catch (cause) {
      rollBack(this.#file)
      const kind = troubleOf(cause)
      // Nobody else can hold a lock that was had: what a driver calls so here is not worth waiting for.
      return { kind: kind === 'busy' ? 'other' : kind, cause }
    }
  }

  /** Asks again soon, with some chance in it so that processes do not keep meeting, and gives up on the oldest. */
  #waitForFile(): void {
    const giveUpBefore = performance.now() - this.#options.busyMs
    const fresh = this.#waiting.findIndex(({ since }) => since > giveUpBefore)
    const late = this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh)
    for (const each of late) each.fail(unavailable('Another process keeps the SQLite file locked'))
    if (this.#waiting.length > 0) this.#schedule(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least))
    else for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/** No room: the caller turns it into a refusal where it can. */
export class FileFull extends Error {}

const failureOf = ({ kind, cause }: { readonly kind: Trouble; readonly cause: unknown }): Error => {
  if (cause instanceof HallpassError) return cause
  if (kind === 'full') return new FileFull('The SQLite file or its disk is full', { cause })
  return unavailable('The SQLite file could not be written', cause)
}

export const unavailable = (what: string, cause?: unknown) =>
  new HallpassError('ledger-unavailable', what, cause === undefined ? {} : { cause })
