import type { MaybePromise, RefusalReason, Result, VerifyKey } from '@hallpass/core'

/** One of the issuer's signing keys. What it verified dies with it. */
export interface IssuerKey {
  readonly kid: string
  readonly algorithm: string
  readonly key: VerifyKey
  /** False once the issuer's key set no longer holds it. */
  readonly live: boolean
}

/** The configured issuer's key set, and nobody else's: no key and no URL is ever taken from a token. */
export interface IssuerKeys {
  /** The key a token's header names: `token-key-unknown`, or `keys-unavailable` where the set could not be had. */
  find(kid: string, algorithm: string, now: number): MaybePromise<Result<IssuerKey, RefusalReason>>
  /** Whether what was verified before may still be relied on: false once the set is too old to know. Refreshes behind the call. */
  current(now: number): boolean
}
