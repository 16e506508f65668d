import type { SignatureAlgorithm, Telemetry } from '@hallpass/core'
import type { Step } from '../flow/attempt.ts'
import type { IssuerKeys } from '../keys/issuer-keys.ts'
import type { Fetch } from '../keys/remote-key-source.ts'

/** What a verifier gives to whatever tells it of revocations. */
export interface RevocationContext {
  readonly issuer: string
  readonly audience: string
  readonly keys: IssuerKeys
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly skewSeconds: number
  /** Reaches the issuer, over the network or in this process. */
  readonly fetch: Fetch
  /** NumericDate seconds. */
  readonly clock: () => number
  /** The step that asks the issuer's signed status list instead. */
  readonly statusList: (maxStalenessSeconds: number) => Step
  /** Where staleness is told. */
  readonly telemetry?: Telemetry
}

/** Tells a verifier without a shared ledger what was revoked. Made by `feed()`. */
export interface RevocationSource {
  /** Begins to listen, for one verifier. Returns the check that stands before every redeem. */
  start(context: RevocationContext): Step
}
