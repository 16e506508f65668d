import type { AuditEvent, ChainHead, CheckpointOptions, Trail, TrailLine } from '@hallpass/core'
import { HallpassError, createCheckpointer } from '@hallpass/core'
import type { SqliteHandle } from '../sqlite-handle.ts'
import { troubleOf } from '../trouble.ts'
import type { Appended } from './trail-table.ts'
import { TrailTable } from './trail-table.ts'

export interface SqliteTrailOptions {
  /** An open database in a file on a local disk; the trail has a table of its own in it. It stays its owner's. */
  readonly database: SqliteHandle
  /** Signs the head of the chain from time to time; without it the trail proves little against who can write the file. */
  readonly checkpoint?: CheckpointOptions
  /** Events that may wait for the file before `append` rejects; default 10 000. */
  readonly maxWaiting?: number
  /** Milliseconds to wait while another process writes; default 2000. */
  readonly busyMs?: number
  /** `source` of checkpoints; default `trail:sqlite`. */
  readonly source?: string
  /** NumericDate seconds. */
  readonly clock?: () => number
}

/** A trail in an SQLite file. */
export interface SqliteTrail extends Trail {
  /** The newest line that this process saw on disk. */
  readonly head: ChainHead
  readonly tail: readonly TrailLine[]
  /** The lines as text, oldest first, read in pages: hand them to `verifyTrail`. */
  lines(after?: number): AsyncGenerator<string, void, undefined>
}

interface Waiting {
  readonly event: AuditEvent
  readonly since: number
  readonly resolve: () => void
  readonly reject: (error: HallpassError) => void
}

const MOST_AT_ONCE = 512
const RETRY_MS = 5
const TAIL_LINES = 5000
const PAGE_LINES = 1000

const unavailable = (what: string, cause?: unknown): HallpassError =>
  new HallpassError('audit-unavailable', what, cause === undefined ? {} : { cause })

/**
 * Opens a trail in an SQLite file: `append` resolves when the line is committed with `synchronous = FULL`; those that wait
 * within one turn of the event loop share one commit. Several processes of one machine may append to one file: its chain
 * goes through all of them. An event whose source and id are there already is not recorded again, whoever brings it.
 *
 * @throws HallpassError `configuration-invalid` for a database in memory or an option that cannot be.
 */
export function sqliteTrail(options: SqliteTrailOptions): SqliteTrail {
  const { database, maxWaiting = 10_000, busyMs = 2000, source = 'trail:sqlite' } = options
  const { clock = () => Date.now() / 1000 } = options
  if (typeof database?.prepare !== 'function' || !Number.isSafeInteger(maxWaiting) || maxWaiting < 1) {
    throw new HallpassError(
      'configuration-invalid',
      'sqliteTrail({ database, maxWaiting }) takes an open database and 1 or more',
    )
  }
  const table = new TrailTable(database)
  let head = table.head()
  const tail = table.linesAfter(head.seq - TAIL_LINES, TAIL_LINES).map(({ line }) => JSON.parse(line) as TrailLine)
  let waiting: Waiting[] = []
  let scheduled = false
  let closed = false
  const idle: (() => void)[] = []

  const schedule = (delayMs: number): void => {
    if (scheduled) return
    scheduled = true
    const run = (): void => {
      scheduled = false
      writeBatch()
    }
    if (delayMs === 0) setImmediate(run)
    else setTimeout(run, delayMs)
  }

  const settle = (batch: readonly Waiting[], answers: readonly Appended[]): void => {
    for (const [index, each] of batch.entries()) {
      const answer = answers[index]
      if (answer instanceof HallpassError) each.reject(answer)
      else each.resolve()
      if (answer === 'new' && each.event.type !== 'trail.checkpoint') checkpointer?.appended()
    }
  }

  const writeBatch = (): void => {
    const batch = waiting.slice(0, MOST_AT_ONCE)
    try {
      const written = table.append(batch.map(({ event }) => event))
      head = written.head
      waiting = waiting.slice(batch.length)
      settle(batch, written.answers)
    } catch (cause) {
      const isBusy = troubleOf(cause) === 'busy'
      const since = performance.now() - busyMs
      const late = isBusy ? batch.filter((each) => each.since <= since) : batch
      waiting = waiting.filter((each) => !late.includes(each))
      const why = isBusy ? 'another process keeps it locked' : 'see that its disk has room and can be written'
      for (const { reject } of late) reject(unavailable(`The trail in the SQLite file took no event: ${why}`, cause))
      if (isBusy && waiting.length > 0) return schedule(RETRY_MS)
    }
    if (waiting.length > 0) return schedule(0)
    for (const resolve of idle.splice(0)) resolve()
  }

  const record = async (event: AuditEvent): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ event, since: performance.now(), resolve, reject })
      schedule(0)
    })
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await new Promise<void>((resolve) => idle.push(resolve))
  }
  const own = {
    source,
    now: clock,
    head: () => head,
    append: (event: AuditEvent) => void record(event).catch(() => {}),
  }
  const checkpointer = options.checkpoint && createCheckpointer(options.checkpoint, own)

  return {
    tail,
    get head() {
      return head
    },
    async append(event) {
      if (closed) throw unavailable('The trail is closed')
      if (waiting.length >= maxWaiting) throw unavailable('Too many events wait for the SQLite file of the trail')
      return record(event)
    },
    flush,
    async close() {
      closed = true
      checkpointer?.stop()
      await flush()
      await checkpointer?.sign()
      await flush()
    },
    async holds(events) {
      await flush()
      return events.filter((event) => table.has(event))
    },
    async events(filter = {}) {
      await flush()
      return table.select(filter).map((line) => JSON.parse(line) as TrailLine)
    },
    async *lines(after = 0) {
      for (let page = table.linesAfter(after, PAGE_LINES); page.length > 0;) {
        for (const { line } of page) yield line
        page = table.linesAfter(page.at(-1)?.seq ?? after, PAGE_LINES)
      }
    },
  }
}
