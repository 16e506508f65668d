import { SECURITY_EVENT, sha256Base64url, TYP, type MaybePromise, type RevocationEntry } from '@hallpass/core'
import type { OwnTokens } from '../../token/own-tokens.ts'

export interface SecurityEvent {
  readonly jti: string
  /** Claims, as they are signed. */
  readonly payload: string
}

export interface Telling {
  readonly issuer: string
  /** Who is told: the `aud` of the event. */
  readonly audience: string
  /** Only what concerns this API; absent: everything. */
  readonly about?: string
  /** NumericDate seconds. */
  readonly now: number
}

/**
 * One line of the log as a Security Event Token of its own, for receivers that follow SSF 1.0: one event, the subject in
 * `sub_id`, no `exp`, no `sub`. An agent that is stopped is CAEP's `session-revoked`. Undefined for what is none of the
 * receiver's business, and for a lifted stop: there is no event that takes a revocation back. The same line always has the
 * same `jti`, whichever broker tells of it and however often.
 */
export function securityEvent(
  entry: RevocationEntry,
  { issuer, audience, about, now }: Telling,
): SecurityEvent | undefined {
  if (entry.kind === 'lift') return undefined
  const { at, reason } = entry
  const common = { event_timestamp: Math.floor(at), reason_admin: { en: reason } }
  const tell = (told: { subject: object; event: string; more?: object; txn?: string }): SecurityEvent => {
    const id = sha256Base64url(JSON.stringify([audience, told.event, told.subject, at])).slice(0, 22)
    const claims = {
      iss: issuer,
      aud: audience,
      iat: Math.floor(now),
      jti: `set_${id}`,
      ...(told.txn !== undefined && { txn: told.txn }),
      sub_id: told.subject,
      events: { [told.event]: { ...common, ...told.more } },
    }
    return { jti: claims.jti, payload: JSON.stringify(claims) }
  }
  if (entry.kind === 'grant') {
    if (about !== undefined && about !== entry.audience) return undefined
    const subject = { format: 'jwt_id', iss: issuer, jti: entry.jti }
    return tell({ subject, event: SECURITY_EVENT.grantRevoked, more: { subject_exp: entry.exp }, txn: entry.txn })
  }
  const { target } = entry
  if (about !== undefined && target.kind !== 'everything') return undefined
  if (target.kind === 'agent') {
    const subject = { format: 'opaque', id: target.clientId }
    return tell({ subject, event: SECURITY_EVENT.sessionRevoked, more: { initiating_entity: 'admin' } })
  }
  const subject = { format: 'opaque', id: JSON.stringify(target) }
  return tell({ subject, event: SECURITY_EVENT.stopped, more: { target } })
}

export const signEvent = (tokens: OwnTokens, { payload }: SecurityEvent): MaybePromise<string> =>
  tokens.sign(payload, TYP.securityEvent)
