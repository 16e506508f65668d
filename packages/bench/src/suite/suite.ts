import type { Row } from '../row/row.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Pace } from '../timing/interleave.ts'
import type { Contender } from '../timing/work.ts'

/** One row, ready to run. */
export interface Entry extends Contender {
  /**
   * Throws unless the very path that will be timed permits the honest call and refuses what it must. Runs before any
   * clock does: a fast check that checks nothing is not a result.
   */
  check(): Promise<void>
  /** Figures that belong beside the row, asked for once it was timed. */
  detail?(): Readonly<Record<string, number>>
}

/** Rows that share a set-up. */
export interface OpenSuite {
  readonly entries: readonly Entry[]
  close?(): Promise<void>
}

export interface Suite {
  readonly rows: readonly RowAim[]
  /** Takes long and says little about one request: run only where one of its rows was asked for. */
  readonly onlyWhenNamed?: true
  /** Its own pace, where slices of 60 ms do not fit. */
  readonly pace?: { readonly full: Pace; readonly quick: Pace }
  /** In place of timing, for rows that are no cost against another: a delay, a size. Throws where a check fails. */
  measure?(chosen: ReadonlySet<string>, pace: 'full' | 'quick'): Promise<readonly Row[]>
  /** Loaded only when one of its rows was asked for. */
  open(chosen: ReadonlySet<string>): Promise<OpenSuite>
}
