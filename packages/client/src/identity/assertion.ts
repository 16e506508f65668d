import type { TokenSource } from '@hallpass/core'
import { CLIENT_ASSERTION_TYPE, MAX_ASSERTION_BYTES } from '@hallpass/core'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { Patience } from '../wire/send.ts'
import { within } from '../wire/send.ts'

/** Form members that prove who the workload is (RFC 7523 section 2.2). */
export interface AssertionForm {
  readonly client_id: string
  readonly client_assertion_type: string
  readonly client_assertion: string
}

const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * Asks the workload's own identity source for a fresh assertion to this broker.
 *
 * What the source throws is dropped: such errors like to quote the token.
 */
export async function assertionForm(
  identity: TokenSource,
  issuer: string,
  patience: Patience,
): Promise<{ readonly ok: true; readonly form: AssertionForm } | Refusal> {
  const answer = await within(patience, async () => identity.assertion(issuer))
  const assertion: unknown = answer.ok ? answer.value : undefined
  if (typeof assertion !== 'string' || assertion.length > MAX_ASSERTION_BYTES || !TOKEN.test(assertion)) {
    return refusal('identity-unavailable')
  }
  const type = identity.type === 'jwt-spiffe' ? CLIENT_ASSERTION_TYPE.jwtSpiffe : CLIENT_ASSERTION_TYPE.jwtBearer
  return { ok: true, form: { client_id: identity.clientId, client_assertion_type: type, client_assertion: assertion } }
}
