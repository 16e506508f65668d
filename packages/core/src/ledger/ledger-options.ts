import { HallpassError } from '../fault.ts'
import { DEFAULT_SKEW_SECONDS, MAX_SKEW_SECONDS, MAX_TASK_SECONDS } from '../token/constants.ts'

export interface MemoryLedgerOptions {
  /** Named, so that nobody runs two replicas on it by accident: its counts hold in this process and nowhere else. */
  readonly exactFor: 'one-process'
  /** NumericDate seconds; for tests. Default: the system's clock, which may jump ahead here but never back. */
  readonly clock?: () => number
  /** Tasks open or recently ended; default 100 000. */
  readonly maxTasks?: number
  /** Grants that have not expired; default 1 000 000. */
  readonly maxGrants?: number
  /** Proofs remembered against replay; default 2 000 000. */
  readonly maxProofs?: number
  /** Uses remembered: of living grants, and of open tasks where they had an idempotency key; default 1 000 000. */
  readonly maxUses?: number
  /** Furthest that two clocks may be apart, 0 to 30; default 5. A verifier that allows more is refused. */
  readonly maxSkewSeconds?: number
  /** How long a handler may take before its use counts as `unknown`; default 60. */
  readonly leaseSeconds?: number
  /** Longest task, and how long a signed grant's idempotency keys are kept; default and most 24 h. */
  readonly maxTaskSeconds?: number
}

export type LedgerBounds = Required<Omit<MemoryLedgerOptions, 'exactFor' | 'clock'>>

/** Highest value and default of each bound. A Map takes 2^24 entries, and the proofs may fill one. */
const MOST = 2 ** 23
const BOUNDS: Readonly<Record<keyof LedgerBounds, { least: number; most: number; preset: number }>> = {
  maxTasks: { least: 1, most: MOST, preset: 100_000 },
  maxGrants: { least: 1, most: MOST, preset: 1_000_000 },
  maxProofs: { least: 1, most: MOST, preset: 2_000_000 },
  maxUses: { least: 1, most: MOST, preset: 1_000_000 },
  maxSkewSeconds: { least: 0, most: MAX_SKEW_SECONDS, preset: DEFAULT_SKEW_SECONDS },
  leaseSeconds: { least: 1, most: 3600, preset: 60 },
  maxTaskSeconds: { least: 1, most: MAX_TASK_SECONDS, preset: MAX_TASK_SECONDS },
}

/** Throws HallpassError `configuration-invalid` for a missing `exactFor`, an unknown option or one out of range. */
export function ledgerBounds(options: MemoryLedgerOptions): LedgerBounds {
  if (options?.exactFor !== 'one-process') {
    throw invalid("exactFor: 'one-process' is missing. Say it to run one process only, or take a shared ledger")
  }
  if (options.clock !== undefined && typeof options.clock !== 'function') throw invalid('clock is not a function')
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(BOUNDS, name) && name !== 'exactFor' && name !== 'clock')
      throw invalid(`${name} is not an option`)
  }
  const bound = (name: keyof LedgerBounds): number => {
    const { least, most, preset } = BOUNDS[name]
    const value = given[name] ?? preset
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw invalid(`${name} takes a whole number from ${least} to ${most}`)
  }
  return {
    maxTasks: bound('maxTasks'),
    maxGrants: bound('maxGrants'),
    maxProofs: bound('maxProofs'),
    maxUses: bound('maxUses'),
    maxSkewSeconds: bound('maxSkewSeconds'),
    leaseSeconds: bound('leaseSeconds'),
    maxTaskSeconds: bound('maxTaskSeconds'),
  }
}

const invalid = (problem: string) => new HallpassError('configuration-invalid', `memoryLedger: ${problem}`)
