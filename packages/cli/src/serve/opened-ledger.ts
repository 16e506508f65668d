import type { Ledger } from '@hallpass/core'

export interface OpenedLedger {
  readonly ledger: Ledger
  /** What kind it is, and where, without credentials. */
  readonly place: string
  /** Gives back what was opened here; what a function of the configuration opened is its own. */
  readonly close: () => Promise<void>
}
