import { DEFAULT_SKEW_SECONDS, HallpassError, MAX_SKEW_SECONDS, MAX_TASK_SECONDS } from '@hallpass/core'
import type { SqliteHandle } from './sqlite-handle.ts'

export interface SqliteLedgerOptions {
  /** An open file on a local disk, and a handle that nothing else uses: one that waits in a transaction blocks it. */
  readonly database: SqliteHandle
  /** NumericDate seconds; for tests. Default: the system's clock. What the file has seen is never gone back behind. */
  readonly clock?: () => number
  /** Furthest that two clocks may be apart, 0 to 30; default 5. A verifier that allows more is refused. */
  readonly maxSkewSeconds?: number
  /** How long a handler may take before its use counts as `unknown`, 1 to 3600; default 60. */
  readonly leaseSeconds?: number
  /** Longest task; default and most 24 h. */
  readonly maxTaskSeconds?: number
  /** How long to wait for another process that writes, 1 to 60; default 5. Then the answer is `ledger-unavailable`. */
  readonly busySeconds?: number
  /** Most operations that wait for their turn, 1 to 1 000 000; default 10 000. One more is refused. */
  readonly maxWaiting?: number
}

export interface SqliteBounds {
  readonly maxSkewSeconds: number
  readonly leaseSeconds: number
  readonly maxTaskSeconds: number
  readonly busySeconds: number
  readonly maxWaiting: number
}

const BOUNDS: Readonly<Record<keyof SqliteBounds, { least: number; most: number; preset: number }>> = {
  maxSkewSeconds: { least: 0, most: MAX_SKEW_SECONDS, preset: DEFAULT_SKEW_SECONDS },
  leaseSeconds: { least: 1, most: 3600, preset: 60 },
  maxTaskSeconds: { least: 1, most: MAX_TASK_SECONDS, preset: MAX_TASK_SECONDS },
  busySeconds: { least: 1, most: 60, preset: 5 },
  maxWaiting: { least: 1, most: 1_000_000, preset: 10_000 },
}

/** Throws HallpassError `configuration-invalid` for a missing handle, an unknown option or one out of range. */
export function sqliteBounds(options: SqliteLedgerOptions): SqliteBounds {
  const { database, clock } = Object(options) as Partial<SqliteLedgerOptions>
  if (typeof database?.exec !== 'function' || typeof database.prepare !== 'function') {
    throw invalid('database is not an open SQLite database with exec() and prepare()')
  }
  if (clock !== undefined && typeof clock !== 'function') throw invalid('clock is not a function')
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(BOUNDS, name) && name !== 'database' && name !== 'clock')
      throw invalid(`${name} is not an option`)
  }
  const bound = (name: keyof SqliteBounds): number => {
    const { least, most, preset } = BOUNDS[name]
    const value = given[name] ?? preset
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw invalid(`${name} takes a whole number from ${least} to ${most}`)
  }
  return {
    maxSkewSeconds: bound('maxSkewSeconds'),
    leaseSeconds: bound('leaseSeconds'),
    maxTaskSeconds: bound('maxTaskSeconds'),
    busySeconds: bound('busySeconds'),
    maxWaiting: bound('maxWaiting'),
  }
}

export const invalid = (problem: string) => new HallpassError('configuration-invalid', `sqliteLedger: ${problem}`)
