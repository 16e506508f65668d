import type { Fault } from '../chaos/controller.ts'
import type { EndCounts } from '../check/ends.ts'
import type { Growth } from '../check/memory.ts'
import type { TrailCounts } from '../check/trails.ts'
import type { UseCounts } from '../check/uses.ts'
import type { Violation } from '../check/violation.ts'
import type { LedgerChoice } from '../command/options.ts'

/** What one run found. */
export interface SoakReport {
  readonly ledger: LedgerChoice
  /** Whether replicas counted for themselves and followed the feed. */
  readonly feed: boolean
  readonly store: string
  readonly seed: number
  readonly seconds: number
  readonly grants: number
  readonly requests: number
  /** Answers other than success, by status and problem. */
  readonly refused: Readonly<Record<string, number>>
  readonly uses: UseCounts
  readonly ends: EndCounts
  readonly trails: TrailCounts
  readonly faults: Readonly<Record<Fault, number>>
  readonly memory: readonly Growth[]
  readonly violations: readonly (Violation & { readonly trail: readonly string[] })[]
  /** Where everything that was written is, when it was to be kept. */
  readonly folder?: string
}
