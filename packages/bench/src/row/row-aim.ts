import type { Measure } from '../timing/statistics.ts'

/** What a row promises, as data: the rest of a row is measured. */
export interface RowAim {
  readonly id: string
  /** Ratio that must hold, from docs/performance.md; null for peers and for rows that are there to be compared with. */
  readonly aim: number | null
  /** `lower`: cost against the baseline. `higher`: throughput against it. */
  readonly better: 'lower' | 'higher'
  /** What is compared: processor time for work that never waits, the wall clock for everything else. */
  readonly measure: Measure
  /** What the row is held against, in the same run. */
  readonly baseline: string
  /** What one operation is. */
  readonly work: string
}
