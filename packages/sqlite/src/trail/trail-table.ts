import type { AuditEvent, ChainHead, EventFilter } from '@hallpass/core'
import { GENESIS, HallpassError, createChain } from '@hallpass/core'
import { rollBack } from '../open-file.ts'
import { SqliteFile } from '../sqlite-file.ts'
import type { SqliteHandle, SqliteValue } from '../sqlite-handle.ts'

const OPEN_WAIT_MS = 10_000
/** Short, because SQLite's own waiting stops the whole process; longer waits are the trail's. */
const BUSY_WAIT_MS = 5

/** Made once and never changed. What is in it cannot be changed by a statement either: only by taking the triggers away. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS hallpass_trail (
    seq INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    txn TEXT,
    jti TEXT,
    hash TEXT NOT NULL,
    line TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS hallpass_trail_event ON hallpass_trail (id, source);
  CREATE INDEX IF NOT EXISTS hallpass_trail_txn ON hallpass_trail (txn) WHERE txn IS NOT NULL;
  CREATE INDEX IF NOT EXISTS hallpass_trail_jti ON hallpass_trail (jti) WHERE jti IS NOT NULL;
  CREATE TRIGGER IF NOT EXISTS hallpass_trail_no_update BEFORE UPDATE ON hallpass_trail
    BEGIN SELECT RAISE(ABORT, 'a trail is only appended to'); END;
  CREATE TRIGGER IF NOT EXISTS hallpass_trail_no_delete BEFORE DELETE ON hallpass_trail
    BEGIN SELECT RAISE(ABORT, 'a trail is only appended to'); END;
`

/** What became of one event of a batch: on record, there already, or not to be written at all. */
export type Appended = 'new' | 'known' | HallpassError

/** The table of a trail. Every call is one statement or one transaction. */
export class TrailTable {
  readonly #file: SqliteFile

  constructor(handle: SqliteHandle) {
    this.#file = new SqliteFile(handle)
    const ask = (sql: string): unknown => Object.values(Object(handle.prepare(sql).get()) as object)[0]
    handle.exec(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`)
    if (ask('PRAGMA journal_mode = WAL') !== 'wal') {
      throw new HallpassError(
        'configuration-invalid',
        'sqliteTrail: the database cannot keep a write-ahead log. Pass a file on a local disk, not one in memory',
      )
    }
    handle.exec('PRAGMA synchronous = FULL')
    this.#file.exec(SCHEMA)
    handle.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}`)
  }

  head(): ChainHead {
    const sql = 'SELECT seq, hash FROM hallpass_trail ORDER BY seq DESC LIMIT 1'
    return this.#file.get<ChainHead>(sql) ?? { seq: 0, hash: GENESIS }
  }

  /** Appends the events that are not there yet after whatever any process appended last, all in one transaction. */
  append(events: readonly AuditEvent[]): { readonly head: ChainHead; readonly answers: readonly Appended[] } {
    this.#file.exec('BEGIN IMMEDIATE')
    try {
      const chain = createChain(this.head())
      const answers = events.map((event) => this.#appendOne(event, chain))
      this.#file.exec('COMMIT')
      return { head: chain.head, answers }
    } catch (error) {
      rollBack(this.#file)
      throw error
    }
  }

  #appendOne(event: AuditEvent, chain: ReturnType<typeof createChain>): Appended {
    const { source, id, type, txn = null, jti = null } = event
    if (this.has(event)) return 'known'
    let line: string
    try {
      line = chain.next(event)
    } catch (error) {
      if (error instanceof HallpassError) return error
      throw error
    }
    const { seq, hash } = chain.head
    const sql =
      'INSERT INTO hallpass_trail (seq, source, id, type, txn, jti, hash, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
    this.#file.run(sql, seq, source, id, type, txn, jti, hash, line)
    return 'new'
  }

  has({ id, source }: Pick<AuditEvent, 'id' | 'source'>): boolean {
    return this.#file.get('SELECT 1 FROM hallpass_trail WHERE id = ? AND source = ?', id, source) !== undefined
  }

  /** The text of so many lines after this number, oldest first. */
  linesAfter(seq: number, limit: number): readonly { readonly seq: number; readonly line: string }[] {
    return this.#file.all('SELECT seq, line FROM hallpass_trail WHERE seq > ? ORDER BY seq LIMIT ?', seq, limit)
  }

  /** The text of every line that fits. */
  select(filter: EventFilter): readonly string[] {
    const wanted = (['txn', 'jti', 'id', 'type'] as const).flatMap((name): [string, SqliteValue][] => {
      const value = filter[name]
      return value === undefined ? [] : [[name, value]]
    })
    const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(([name]) => `${name} = ?`).join(' AND ')}`
    const sql = `SELECT line FROM hallpass_trail ${where} ORDER BY seq`
    return this.#file.all<{ line: string }>(sql, ...wanted.map(([, value]) => value)).map(({ line }) => line)
  }
}
