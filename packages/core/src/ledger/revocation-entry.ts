import type { StandingTarget } from './revocation-target.ts'

/**
 * One line of the revocation log. Times are NumericDate seconds of the ledger's clock.
 *
 * Readers may meet a line twice, and apply it twice without harm. No line ever brings a grant back.
 */
export type RevocationEntry =
  | {
      /** A registered grant died before its expiry: by itself, with its task, or with what a wide revocation reached. */
      readonly kind: 'grant'
      readonly at: number
      /** The reason of the revocation, or how the task ended. */
      readonly reason: string
      readonly jti: string
      readonly txn: string
      readonly audience: string
      readonly status: { readonly uri: string; readonly idx: number }
      readonly exp: number
    }
  | {
      /** Nothing is issued for the target from here on. The grants it reached follow, one line each. */
      readonly kind: 'stop'
      readonly at: number
      readonly reason: string
      readonly target: StandingTarget
    }
  | {
      /** The target goes on. Whatever was issued for it up to `cutOff` (NumericDate, skew included) stays dead. */
      readonly kind: 'lift'
      readonly at: number
      readonly reason: string
      readonly target: StandingTarget
      readonly cutOff: number
    }

/** Some lines of the log, in order. */
export interface RevocationPage {
  readonly state: 'read'
  readonly entries: readonly RevocationEntry[]
  /** Where the next read goes on: opaque, good with every reader of this ledger. Unchanged where nothing was read. */
  readonly cursor: string
  /** Whether lines after `cursor` were there already. */
  readonly more: boolean
  /**
   * The ledger's time of this read. Where `more` is false, whatever was acknowledged before it stands at or before
   * `cursor`: a reader that applied everything up to there knows every revocation until then.
   */
  readonly at: number
}

/**
 * `gone`: the cursor is of another life of the store, too old, or none. The reader forgets its place and reads from the
 * start; what it knows to be dead stays dead.
 */
export type RevocationRead = RevocationPage | { readonly state: 'gone' }

/** A run of status indexes that die together, for instance of the grants that expire within one quarter of an hour. */
export interface StatusSeries {
  readonly name: string
  /** NumericDate after which nothing refers to the series any more, and the ledger may forget it. */
  readonly until: number
}
