import type { GrantClaims, Ok, ToolCallEntry } from '@hallpass/core'
import { sha256Base64url } from '@hallpass/core'
import type { IssuerKey } from '../keys/issuer-keys.ts'
import type { BareCall } from './bare-call.ts'

/**
 * A token whose signature, issuer, audience and shape were checked; whether it is still in time is asked each time. A
 * class for the reason that `Attempt` is one.
 */
export class GenuineToken {
  /** The whole canonical token: what a cached result is compared with. */
  readonly token: string
  readonly claims: GrantClaims
  readonly entry: ToolCallEntry
  readonly key: IssuerKey
  /** Thumbprint of the holder's key; absent in an unbound grant. */
  readonly jkt: string | undefined
  /** What a proof's `ath` has to be; absent in an unbound grant. */
  readonly ath: string | undefined
  /** `iat` less the skew, NumericDate: before it the token is not yet valid, also on a clock that was turned back. */
  readonly notBefore: number
  readonly exp: number
  /** Whether a limit adds up a parameter, so that each use has amounts to be worked out. */
  readonly addsUp: boolean
  /** This object as a result, made once. */
  readonly found: Ok<GenuineToken>
  /** The last bare call it was found to cover. */
  bare: BareCall | undefined = undefined
  /** The last one it was found not to cover: who is refused often asks the same again. */
  barred: BareCall | undefined = undefined

  constructor(
    token: string,
    claims: GrantClaims,
    { key, skewSeconds }: { readonly key: IssuerKey; readonly skewSeconds: number },
  ) {
    this.token = token
    this.claims = claims
    this.entry = claims.authorization_details[0]
    this.key = key
    this.jkt = claims.cnf?.jkt
    this.ath = claims.cnf === undefined ? undefined : sha256Base64url(token)
    this.notBefore = claims.iat - skewSeconds
    this.exp = claims.exp
    this.addsUp = this.entry.limits.some((limit) => limit.parameter !== undefined)
    this.found = { ok: true, value: this }
  }
}
