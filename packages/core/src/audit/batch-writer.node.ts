import { HallpassError } from '../fault.ts'
import { lineBytes } from './line-bytes.node.ts'
import { systemCode } from './system-code.node.ts'

/** The file under a trail, as small as it can be, so that tests can make it fail. */
export interface TrailDisk {
  /** Throws when the file is not as this writer left it: moved, cut, or written by someone else. */
  checkOwn(size: number): void
  write(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  /** Cuts what a failed write left behind. */
  truncate(size: number): Promise<void>
}

export interface BatchWriterOptions {
  readonly disk: TrailDisk
  readonly path: string
  /** Bytes in the file now. */
  readonly size: number
  /** Milliseconds that a batch may gather before it is written. */
  readonly gatherMs: number
  /** Milliseconds between attempts after a failure. */
  readonly retryMs: number
  /** Told each time lines got to the disk. Must not throw. */
  readonly onWritten?: () => void
}

export interface BatchWriter {
  /** Lines not on disk yet. */
  readonly waiting: number
  /** Bytes of the file that are certainly on disk. */
  readonly size: number
  /** Why nothing can be written, until an attempt succeeds. */
  readonly failure: HallpassError | undefined
  push(line: string): void
  /** Resolves when everything pushed so far is on disk; rejects when an attempt to get it there fails. */
  durable(): Promise<void>
  /** Gives up what cannot be written and stops. */
  stop(): void
}

interface Waiter {
  readonly until: number
  readonly resolve: () => void
  readonly reject: (error: HallpassError) => void
}

/** A batch this long does not gather any further. */
const FULL_BATCH = 2048

/** Someone else touched the file: no attempt can mend that. */
export class ForeignChange extends Error {}

/**
 * Writes lines in batches: one write and one sync for all that gathered while the last batch was on its way. After a
 * failure it keeps what it has, cuts the half-written batch off the file and tries again.
 */
export function createBatchWriter(options: BatchWriterOptions): BatchWriter {
  const { disk, path, gatherMs, retryMs } = options
  let { size } = options
  let lines: string[] = []
  let pushed = 0
  let written = 0
  let waiters: Waiter[] = []
  let running = false
  let dirty = false
  let final = false
  let failure: HallpassError | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const fail = (error: unknown): void => {
    final ||= error instanceof ForeignChange
    const why = error instanceof ForeignChange ? error.message : `the system answered ${systemCode(error)}`
    const next = final
      ? 'Restart with a trail of its own'
      : 'Free space or mend the disk; it is tried again every moment'
    failure = new HallpassError('audit-unavailable', `The trail ${path} cannot be written: ${why}. ${next}`, {
      cause: error,
    })
    const refused = waiters
    waiters = []
    for (const waiter of refused) waiter.reject(failure)
  }

  const writeBatch = async (batch: readonly string[]): Promise<void> => {
    if (dirty) await disk.truncate(size)
    dirty = false
    disk.checkOwn(size)
    const bytes = lineBytes(batch)
    dirty = true
    await disk.write(bytes)
    await disk.sync()
    dirty = false
    size += bytes.length
  }

  const settleWaiters = (): void => {
    const later = waiters.findIndex((waiter) => waiter.until > written)
    for (const waiter of waiters.splice(0, later === -1 ? waiters.length : later)) waiter.resolve()
  }
  /** Someone waits, or the batch is full: no time to gather. */
  const urgent = (): boolean => !final && (waiters.length > 0 || lines.length >= FULL_BATCH)

  const drain = async (): Promise<void> => {
    running = true
    do {
      const batch = lines
      lines = []
      try {
        await writeBatch(batch)
      } catch (error) {
        lines = [...batch, ...lines]
        fail(error)
        break
      }
      failure = undefined
      written += batch.length
      settleWaiters()
      options.onWritten?.()
    } while (urgent())
    running = false
    // A failed batch is tried again even when nobody asks: revocations may be waiting in it.
    if (lines.length > 0) schedule(failure ? retryMs : gatherMs)
  }

  const schedule = (ms: number): void => {
    if (running || final) return
    clearTimeout(timer)
    const due = () => {
      timer = undefined
      void drain()
    }
    timer = setTimeout(due, ms)
    // Lines keep the process alive until they are written; a disk that stays broken must not.
    if (failure) timer.unref()
  }

  return {
    get waiting() {
      return pushed - written
    },
    get size() {
      return size
    },
    get failure() {
      return failure
    },
    push(line) {
      pushed += 1
      lines.push(line)
      if (timer === undefined && !failure) schedule(gatherMs)
    },
    durable() {
      if (pushed === written) return Promise.resolve()
      if (final && failure) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        waiters.push({ until: pushed, resolve, reject })
        if (running) return
        clearTimeout(timer)
        timer = undefined
        // After this turn of the event loop: everyone who waits in it shares one write.
        running = true
        setImmediate(() => void drain())
      })
    },
    stop() {
      final = true
      clearTimeout(timer)
    },
  }
}
