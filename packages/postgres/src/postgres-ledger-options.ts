import { DEFAULT_SKEW_SECONDS, HallpassError, MAX_SKEW_SECONDS, MAX_TASK_SECONDS } from '@hallpass/core'
import type { PgPool, PostgresJs } from './postgres-client.ts'
import type { Listen } from './wake/listen.ts'
import { listenerOf } from './wake/listen.ts'

export interface PostgresLedgerOptions {
  /** A `pg` Pool. This or `sql`. */
  readonly pool?: PgPool
  /** A `postgres` (postgres.js) instance. This or `pool`. */
  readonly sql?: PostgresJs
  /** Where the ledger lives in the database; default `hallpass`. */
  readonly schema?: string
  /** Brings the schema up to date before anything else. Without it an older schema is refused: call `migrate`. */
  readonly migrateAtStart?: boolean
  /**
   * What a failover may do. `loses-acknowledged` (default): a standby that takes over may lack what was answered, so
   * tasks and grants from before it are refused. `loses-nothing`: `synchronous_standby_names` makes every commit wait
   * for the standbys that may take over, so tasks live on. Only the operator can know.
   */
  readonly failover?: 'loses-acknowledged' | 'loses-nothing'
  /** A server without fsync loses what it answered when its machine stops. Refused unless named here, for tests. */
  readonly withoutFsync?: 'for-tests'
  /** Prepared statements; default true. False behind a pooler that hands connections on per transaction. */
  readonly prepare?: boolean
  /**
   * What listens for revocations by others while a broker watches: by default a connection made as `pool` or `sql` make
   * theirs. Behind a pooler that hands connections on, so with `prepare: false`, nothing: pass a client that reaches the
   * server itself. `false`: nothing listens, and brokers look once per heartbeat.
   */
  readonly listen?: PgPool | PostgresJs | false
  /** Furthest that two clocks may be apart, 0 to 30; default 5. A verifier that allows more is refused. */
  readonly maxSkewSeconds?: number
  /** How long a handler may take before its use counts as `unknown`, 1 to 3600; default 60. */
  readonly leaseSeconds?: number
  /** Longest task; default and most 24 h. */
  readonly maxTaskSeconds?: number
  /** How long an operation may take in all, resends included, 1 to 60; default 5. Then it is `ledger-unavailable`. */
  readonly timeoutSeconds?: number
  /** Most redeems that wait for their turn, 1 to 1 000 000; default 10 000. One more is refused. */
  readonly maxWaiting?: number
  /** Groups of redeems under way at once, 1 to 64; default 2. Fewer make larger groups. */
  readonly groupsAtOnce?: number
  /** Most redeems in one group, 1 to 1000; default 128. With 1 every use is a statement of its own. */
  readonly groupSize?: number
}

const BOUNDS = {
  maxSkewSeconds: { least: 0, most: MAX_SKEW_SECONDS, preset: DEFAULT_SKEW_SECONDS },
  leaseSeconds: { least: 1, most: 3600, preset: 60 },
  maxTaskSeconds: { least: 1, most: MAX_TASK_SECONDS, preset: MAX_TASK_SECONDS },
  timeoutSeconds: { least: 1, most: 60, preset: 5 },
  maxWaiting: { least: 1, most: 1_000_000, preset: 10_000 },
  groupsAtOnce: { least: 1, most: 64, preset: 2 },
  groupSize: { least: 1, most: 1000, preset: 128 },
} as const

export type PostgresBounds = Readonly<Record<keyof typeof BOUNDS, number>>

const OTHERS = new Set(['pool', 'sql', 'schema', 'migrateAtStart', 'failover', 'withoutFsync', 'prepare', 'listen'])
const FAILOVERS = ['loses-acknowledged', 'loses-nothing']

/** Throws HallpassError `configuration-invalid` for a missing client, an unknown option or one out of range. */
export function postgresBounds(options: PostgresLedgerOptions): PostgresBounds {
  const { pool, sql, failover, withoutFsync, listen } = Object(options) as Partial<PostgresLedgerOptions>
  if ((pool === undefined) === (sql === undefined)) throw invalid('pass one of pool (pg) and sql (postgres)')
  if (pool !== undefined && typeof pool.query !== 'function') throw invalid('pool is not a Pool of pg')
  if (sql !== undefined && typeof sql.unsafe !== 'function') throw invalid('sql is not an instance of postgres')
  if (failover !== undefined && !FAILOVERS.includes(failover)) throw invalid(`failover is ${FAILOVERS.join(' or ')}`)
  if (withoutFsync !== undefined && withoutFsync !== 'for-tests') throw invalid("withoutFsync is 'for-tests' or absent")
  if (listen !== undefined && listen !== false && listenerOf(Object(listen)) === undefined) {
    throw invalid('listen is a Pool of pg, an instance of postgres, or false')
  }
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(BOUNDS, name) && !OTHERS.has(name)) throw invalid(`${name} is not an option`)
  }
  for (const name of ['migrateAtStart', 'prepare']) {
    if (given[name] !== undefined && typeof given[name] !== 'boolean') throw invalid(`${name} is true or false`)
  }
  const bound = (name: keyof typeof BOUNDS): number => {
    const { least, most, preset } = BOUNDS[name]
    const value = given[name] ?? preset
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw invalid(`${name} takes a whole number from ${least} to ${most}`)
  }
  return {
    maxSkewSeconds: bound('maxSkewSeconds'),
    leaseSeconds: bound('leaseSeconds'),
    maxTaskSeconds: bound('maxTaskSeconds'),
    timeoutSeconds: bound('timeoutSeconds'),
    maxWaiting: bound('maxWaiting'),
    groupsAtOnce: bound('groupsAtOnce'),
    groupSize: bound('groupSize'),
  }
}

/** How to hear of revocations by others; undefined where nothing can. */
export function listenOf({ pool, sql, listen, prepare = true }: PostgresLedgerOptions): Listen | undefined {
  if (listen === false || (listen === undefined && !prepare)) return undefined
  const client = listen ?? pool ?? sql
  return client === undefined ? undefined : listenerOf(client)
}

export const invalid = (problem: string) => new HallpassError('configuration-invalid', `postgresLedger: ${problem}`)
