import type { AuditSink, Ledger } from '@hallpass/core'
import type { BrokerOptions, SigningKeys } from '@hallpass/broker'
import type { PostgresLedgerOptions } from '@hallpass/postgres'
import type { RedisLedgerOptions } from '@hallpass/redis'
import type { SqliteLedgerOptions } from '@hallpass/sqlite'

/** The file a broker writes its trail to, with what `fileTrail` takes. */
export interface TrailConfig {
  /** Relative to the configuration file. */
  readonly path: string
  readonly durable?: 'grouped' | 'each'
  /** Signed checkpoints after so many events or seconds; default 1000 and 60. */
  readonly everyEvents?: number
  readonly everySeconds?: number
  /** Events that may wait for the disk before nothing is issued any more; default 10 000. */
  readonly maxBufferedEvents?: number
}

/**
 * - `memory`: one process, and a restart ends every task.
 * - `sqlite:PATH`, relative to the configuration file: every process of one machine. By `node:sqlite`, or by
 *   `@photostructure/sqlite` where it is installed.
 * - `redis://`, `rediss://`: every broker and API that reaches it. By `ioredis`, `iovalkey` or `redis`, whichever is
 *   installed.
 * - `postgres://`, `postgresql://`: the same. By `pg` or `postgres`.
 */
export type LedgerPlace =
  | 'memory'
  | `sqlite:${string}`
  | `redis://${string}`
  | `rediss://${string}`
  | `postgres://${string}`
  | `postgresql://${string}`

/** A place with what `redisLedger` or `postgresLedger` takes besides its client. */
export type LedgerConfig =
  | (Omit<RedisLedgerOptions, 'client'> & {
      /** One server, or some nodes of a cluster. */
      readonly redis: string | readonly string[]
    })
  | (Omit<PostgresLedgerOptions, 'pool' | 'sql'> & {
      readonly postgres: string
      /** Connections; default 10. */
      readonly connections?: number
    })
  | (Omit<SqliteLedgerOptions, 'database' | 'clock'> & {
      /** Path of the file, relative to the configuration file. */
      readonly sqlite: string
    })

/** Where a broker listens, and how it stops. */
export interface ListenConfig {
  readonly host?: string
  readonly port?: number
  /**
   * After the signal to end: how long to go on as before while `/readyz` says 503, so that balancers turn away first.
   * Default 0; behind a balancer a little more than two of its probes.
   */
  readonly drainSeconds?: number
  /** How long requests under way may take after that, 10 by default. Then their connections are cut. */
  readonly graceSeconds?: number
}

/**
 * What `hallpass serve` and `hallpass dev` run. Nothing in it opens a file or a connection by being loaded, so that
 * `hallpass policy check` can read it anywhere.
 */
export interface HallpassConfig extends Omit<BrokerOptions, 'keys' | 'audit' | 'ledger' | 'clock'> {
  /** Directory made by `hallpass keys generate`, relative to the configuration file; or what gives the keys. */
  readonly keys: string | (() => SigningKeys | Promise<SigningKeys>)
  /** Path of the trail's file, relative to the configuration file; or what opens one. */
  readonly trail: string | TrailConfig | (() => AuditSink | Promise<AuditSink>)
  /** Where the ledger is, or what opens one; default: the file `hallpass.db` beside the configuration file. */
  readonly ledger?: LedgerPlace | LedgerConfig | (() => Ledger | Promise<Ledger>)
  /** Where to listen; default: loopback, at the issuer's port. */
  readonly listen?: ListenConfig
}

/** Types a configuration file; its default export is what this returns. */
export const defineConfig = (config: HallpassConfig): HallpassConfig => config
