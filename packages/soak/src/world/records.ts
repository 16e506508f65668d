import type { ActionName } from './orders.ts'

/** What a replica wrote of one use, before anybody was answered. Times are milliseconds of the machine's clock. */
export type UseRecord =
  | {
      /** The ledger said `first`. */
      readonly kind: 'granted'
      readonly event: string
      readonly jti: string
      readonly txn: string
      readonly asked: number
      readonly at: number
    }
  | {
      /** The handler ran. `asked` is when the redeem before it left for the ledger. */
      readonly kind: 'run'
      readonly event: string
      readonly jti: string
      readonly txn: string
      readonly agent: string
      readonly action: ActionName
      /** Which API it was asked of: totals are counted for each. */
      readonly api: string
      /** Idempotency key. */
      readonly key: string | null
      /** Cents. */
      readonly amount: number
      readonly asked: number
      readonly at: number
      readonly replica: string
    }
  | {
      /** The handler was about to give its use back: from here on it may be anybody's. */
      readonly kind: 'giving-back'
      readonly event: string
      readonly jti: string
      readonly at: number
    }
  | {
      /** What the ledger said to that; `unclear` where it did not answer. */
      readonly kind: 'gave-back'
      readonly event: string
      readonly jti: string
      readonly answer: 'released' | 'kept' | 'unclear'
      readonly at: number
    }

/** An event that a trail has taken for good, noted by the process that made it. */
export interface MadeRecord {
  readonly id: string
}

/** A grant as its agent knows it once everything it sent with it was answered or lost. */
export interface GrantRecord {
  readonly kind: 'grant'
  readonly jti: string
  readonly txn: string
  readonly agent: string
  readonly action: ActionName
  /** Seconds. */
  readonly exp: number
  /** When the ask left and when the grant came. */
  readonly sent: number
  readonly received: number
  readonly requests: number
  readonly succeeded: number
  /** Ids of the uses that were answered as done. */
  readonly events: readonly string[]
  /** Without an answer, or with one that does not say whether the use was spent. */
  readonly unclear: number
  readonly refused: Readonly<Record<string, number>>
}

/** Something was dead from here on, for whoever asks after `at`. */
export interface EndRecord {
  readonly kind: 'end'
  readonly target:
    | { readonly kind: 'grant'; readonly jti: string }
    | { readonly kind: 'task'; readonly txn: string }
    | { readonly kind: 'agent'; readonly clientId: string }
  readonly asked: number
  /** When the broker had acknowledged it. */
  readonly at: number
  /** For an agent: when it was let go on, asked and done. */
  readonly resumed?: number
}

/** What the ledger says of a grant when nobody uses it any more. */
export interface LedgerReading {
  readonly jti: string
  readonly used: number
}

/** Memory of one process, taken once a second. */
export interface MemorySample {
  readonly at: number
  readonly rss: number
  readonly heap: number
}
