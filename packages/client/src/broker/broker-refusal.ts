import type { CallReason } from '../outcome/advice.ts'
import { isReason } from '../outcome/advice.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import { asObject } from '../wire/json-object.ts'

/** RFC 6749 codes, for answers that carry no reason of ours. */
const reasonOf: ReadonlyMap<unknown, CallReason> = new Map<unknown, CallReason>([
  ['invalid_request', 'request-invalid'],
  ['invalid_client', 'identity-invalid'],
  ['invalid_grant', 'request-invalid'],
  ['unauthorized_client', 'caller-not-allowed'],
  ['unsupported_grant_type', 'grant-type-unsupported'],
  ['invalid_target', 'target-unknown'],
  ['invalid_authorization_details', 'details-invalid'],
  ['access_denied', 'policy-denied'],
  ['authorization_pending', 'approval-required'],
  ['interaction_required', 'approval-required'],
  ['invalid_dpop_proof', 'proof-malformed'],
  ['use_dpop_nonce', 'proof-nonce'],
  ['slow_down', 'broker-unavailable'],
  ['temporarily_unavailable', 'broker-unavailable'],
])

/**
 * Reads a refusal of the broker (RFC 6749 section 5.2, with our `reason` and `event` beside it).
 *
 * Free text in it is dropped: it was written for operators, not for a model.
 */
export function brokerRefusal(status: number, body: unknown): Refusal {
  const { error, reason, event } = asObject(body) ?? {}
  if (status >= 400 && isReason(reason)) return refusal(reason, { event })
  if (status >= 500 || status === 429) return refusal('broker-unavailable', { event })
  return refusal((status >= 400 && reasonOf.get(error)) || 'broker-answer-invalid', { event })
}
