import type { RefusalReason } from '@hallpass/core'

/** Error codes on the wire: RFC 6749 5.2, RFC 8693 2.2.2, RFC 8707, RFC 9396, RFC 9449, RFC 8628 (`access_denied`, `slow_down`), RFC 6750. */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_authorization_details'
  | 'invalid_target'
  | 'access_denied'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'invalid_token'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'not_found'
  | 'method_not_allowed'

/** A request that is not fulfilled: what the caller is told, and why in truth. */
export interface Refusal {
  readonly ok: false
  readonly error: ErrorCode
  readonly reason: RefusalReason
  /** One sentence for the trail. */
  readonly detail?: string
  readonly rule?: string
  /** Keyed digest of the facts the decision was made on. */
  readonly facts?: string
  /** When to come back, where that is known. */
  readonly retryAfterSeconds?: number
}

export type Step<T> = { readonly ok: true; readonly value: T } | Refusal

/** Says with which code a refusal goes out; the reason stays for the trail. */
export function reject(error: ErrorCode, cause: { readonly reason: RefusalReason; readonly detail?: string }): Refusal {
  const { reason, detail } = cause
  const code = isUnavailable(reason) ? 'temporarily_unavailable' : error
  return detail === undefined ? { ok: false, error: code, reason } : { ok: false, error: code, reason, detail }
}

/** Reasons that say nothing about the request: the broker could not check it. */
function isUnavailable(reason: RefusalReason): boolean {
  return UNAVAILABLE.has(reason)
}

const UNAVAILABLE: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'ledger-unavailable',
  'ledger-full',
  'audit-unavailable',
  'keys-unavailable',
  'status-stale',
  'overloaded',
  'internal',
])

/** For each code its HTTP status, and the one sentence a caller reads: what differs between reasons is for the trail. */
export const ERRORS: Readonly<Record<ErrorCode, readonly [status: number, description: string]>> = {
  invalid_request: [400, 'The request is malformed, or its subject token is not acceptable'],
  invalid_client: [401, 'Client authentication failed'],
  unauthorized_client: [400, 'This client may not make this request'],
  unsupported_grant_type: [400, 'The grant type is not supported'],
  invalid_authorization_details: [400, 'The authorization details are malformed, unknown, or wider than allowed'],
  invalid_target: [400, 'The resource is unknown, or not the one the authorization details are for'],
  access_denied: [400, 'The request was denied'],
  invalid_dpop_proof: [400, 'The DPoP proof is missing or not acceptable'],
  use_dpop_nonce: [400, 'The DPoP proof needs the nonce of this response'],
  invalid_token: [401, 'The access token is missing or not acceptable'],
  slow_down: [429, 'Too much was asked in a short time'],
  temporarily_unavailable: [503, 'The request cannot be checked right now'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'The method is not allowed here'],
}
