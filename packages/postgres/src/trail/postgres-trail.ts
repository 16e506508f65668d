import type { AuditEvent, ChainHead, CheckpointOptions, Trail, TrailLine } from '@hallpass/core'
import { GENESIS, HallpassError, createChain, createCheckpointer } from '@hallpass/core'
import type { PgPool, PostgresJs, PostgresValue } from '../postgres-client.ts'
import { asker } from '../postgres-client.ts'
import { APPEND, HEAD, KNOWN, LINES_AFTER, SELECT, TRAIL_SCHEMA } from './trail-schema.ts'

export interface PostgresTrailOptions {
  /** A `pg` Pool. This or `sql`. */
  readonly pool?: PgPool
  /** A `postgres` (postgres.js) instance. This or `pool`. */
  readonly sql?: PostgresJs
  /** Where the trail lives in the database; default `hallpass`. */
  readonly schema?: string
  /** Signs the head of the chain from time to time; without it the trail proves little against who owns the table. */
  readonly checkpoint?: CheckpointOptions
  /** Events that may wait for the database before `append` rejects; default 10 000. */
  readonly maxWaiting?: number
  /** Seconds that an append may take in all, new attempts included; default 5. */
  readonly timeoutSeconds?: number
  /** Prepared statements; default true. False behind a pooler that hands connections on per transaction. */
  readonly prepare?: boolean
  /** `source` of checkpoints; default `trail:postgres`. */
  readonly source?: string
  /** NumericDate seconds. */
  readonly clock?: () => number
}

/** A trail in PostgreSQL. */
export interface PostgresTrail extends Trail {
  /** The newest line that this process knows to be committed. */
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
const TAIL_LINES = 1000
const RETRY_MS = 20
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,40}$/

const unavailable = (what: string, cause?: unknown): HallpassError =>
  new HallpassError('audit-unavailable', what, cause === undefined ? {} : { cause })
const invalid = (what: string): HallpassError => new HallpassError('configuration-invalid', `postgresTrail: ${what}`)
/** What a column cannot hold would fail the whole batch; the line itself has it escaped. */
// oxlint-disable-next-line no-control-regex -- the one character that PostgreSQL's text has not
const column = (text: string): string => text.replaceAll(/[\u0000\p{Surrogate}]/gu, '\uFFFD')
const columnsOf = ({ id, source, type, txn, jti }: AuditEvent) => ({
  id: column(id),
  source: column(source),
  type,
  txn: txn === undefined ? null : column(txn),
  jti: jti === undefined ? null : column(jti),
})
type EventName = Pick<AuditEvent, 'id' | 'source'>
const nameOf = ({ id, source }: EventName): string => JSON.stringify([id, source])

/**
 * Opens a trail in PostgreSQL, and makes its table where there is none: `append` resolves when the line is committed; those
 * that wait together share one statement. All processes append to one chain: who loses the race for the next number chains
 * anew after the winner's lines. An event whose source and id are there already is not recorded again, whoever brings it.
 *
 * A failover that loses commits loses lines: `synchronous_commit` and the standbys are the operator's.
 * @throws HallpassError `configuration-invalid` for options that cannot be, `audit-unavailable` where the database does
 * not answer.
 */
export async function postgresTrail(options: PostgresTrailOptions): Promise<PostgresTrail> {
  const { pool, sql, schema = 'hallpass', maxWaiting = 10_000, timeoutSeconds = 5, prepare = true } = options
  const { source = 'trail:postgres', clock = () => Date.now() / 1000 } = options
  if ((pool === undefined) === (sql === undefined)) throw invalid('pass one of pool (pg) and sql (postgres)')
  if (!SCHEMA_NAME.test(schema)) throw invalid('schema takes a lower-case name that needs no quotes')
  if (!Number.isSafeInteger(maxWaiting) || maxWaiting < 1 || !(timeoutSeconds > 0))
    throw invalid('maxWaiting and timeoutSeconds take more than nothing')
  const send = asker({ ...(pool && { pool }), ...(sql && { sql }), prepare })
  const ask = async <Row>(text: string, ...values: PostgresValue[]): Promise<readonly Row[]> =>
    (await send(text.replaceAll('@', schema), values)) as readonly Row[]
  const readHead = async (): Promise<ChainHead> => {
    const [row] = await ask<{ seq: string; hash: string }>(HEAD)
    return row === undefined ? { seq: 0, hash: GENESIS } : { seq: Number(row.seq), hash: row.hash }
  }
  const linesAfter = async (seq: number) => ask<{ seq: string; line: string }>(LINES_AFTER, String(seq))

  let head: ChainHead
  let tail: readonly TrailLine[]
  try {
    await ask(TRAIL_SCHEMA)
    head = await readHead()
    tail = (await linesAfter(head.seq - TAIL_LINES)).map(({ line }) => JSON.parse(line) as TrailLine)
  } catch (cause) {
    throw unavailable('The trail in PostgreSQL could not be opened', cause)
  }
  let waiting: Waiting[] = []
  let running: Promise<void> | undefined
  let closed = false

  /** Chains the events after the head and commits them, or throws: then it is not known whether they are there. */
  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    const chain = createChain(head)
    const settled: (() => void)[] = []
    const rows = batch.flatMap(({ event, resolve, reject }) => {
      try {
        const line = chain.next(event)
        settled.push(resolve)
        return [{ ...chain.head, ...columnsOf(event), line }]
      } catch (error) {
        settled.push(() => reject(error instanceof HallpassError ? error : unavailable('An event is no line', error)))
        return []
      }
    })
    if (rows.length > 0) await ask(APPEND, JSON.stringify(rows))
    head = chain.head
    for (const settle of settled) settle()
    for (const { event } of batch) if (event.type !== 'trail.checkpoint') checkpointer?.appended()
  }

  /** Somebody else was faster, an event is there already, or the answer got lost: look what is there. */
  const lookAgain = async (batch: readonly Waiting[]): Promise<readonly Waiting[]> => {
    const names = JSON.stringify(batch.map(({ event }) => columnsOf(event)))
    const known = new Set((await ask<EventName>(KNOWN, names)).map(nameOf))
    head = await readHead()
    return batch.filter(({ event, resolve }) => {
      const name = nameOf(columnsOf(event))
      const isNew = !known.has(name)
      known.add(name)
      if (!isNew) resolve()
      return isNew
    })
  }

  const write = async (): Promise<void> => {
    let trouble: unknown
    while (waiting.length > 0) {
      let batch: readonly Waiting[] = waiting.slice(0, MOST_AT_ONCE)
      try {
        if (trouble !== undefined) batch = await lookAgain(batch)
        if (batch.length > 0) await commit(batch)
        waiting = waiting.slice(MOST_AT_ONCE)
        trouble = undefined
      } catch (cause) {
        const isSecond = trouble !== undefined
        trouble = cause
        const since = performance.now() - timeoutSeconds * 1000
        const late = new Set(waiting.filter((each) => each.since <= since))
        waiting = waiting.filter((each) => !late.has(each))
        for (const { reject } of late) reject(unavailable('The trail in PostgreSQL took no event in time', cause))
        if (isSecond) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }
  const start = (): void => {
    // After this turn of the event loop: everyone who appends in it shares one statement.
    running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(write).finally(() => (running = undefined))
  }
  const record = async (event: AuditEvent): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ event, since: performance.now(), resolve, reject })
      start()
    })
  const flush = async (): Promise<void> => {
    // What is appended meanwhile is somebody else's to wait for.
    if (running !== undefined) await running
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
      if (waiting.length >= maxWaiting) throw unavailable('Too many events wait for the trail in PostgreSQL')
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
      const names = events.map(({ id, source }) => ({ id: column(id), source: column(source) }))
      const held = new Set((await ask<EventName>(KNOWN, JSON.stringify(names))).map(nameOf))
      return events.filter((_, index) => names[index] !== undefined && held.has(nameOf(names[index])))
    },
    async events({ txn = null, jti = null, id = null, type = null }: Record<string, string | null | undefined> = {}) {
      await flush()
      return (await ask<{ line: string }>(SELECT, txn, jti, id, type)).map(({ line }) => JSON.parse(line) as TrailLine)
    },
    async *lines(after = 0) {
      for (let page = await linesAfter(after); page.length > 0;) {
        for (const { line } of page) yield line
        page = await linesAfter(Number(page.at(-1)?.seq))
      }
    },
  }
}
