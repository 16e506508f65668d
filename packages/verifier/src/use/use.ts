import type { JsonValue, MaybePromise, Outcome } from '@hallpass/core'
import type { VerifiedGrant } from '../grant/verified-grant.ts'

/** What a response body may weigh to be kept for a retry. */
export const MAX_OUTCOME_BYTES = 8192
/** The client closed the connection before the response was out: what it saw is not known. */
export const ABORTED: Outcome = { status: 499 }

/** One spent use whose handler may run now. A door runs the handler and says how it ended. */
export interface Use<G = VerifiedGrant> {
  readonly kind: 'admitted'
  readonly ok: true
  readonly grant: G
  /** The body as it was checked; undefined where there was none. */
  readonly body: JsonValue | undefined
  /** Whether a retry may ask for this outcome, so that content type and body are worth keeping. */
  readonly keepsOutcome: boolean
  /**
   * Puts the outcome on record. The first call counts; never throws, since the handler has run: an outcome that cannot
   * be written becomes `unknown` when the lease runs out, and the use stays used.
   */
  settle(outcome: Outcome): MaybePromise<void>
}
