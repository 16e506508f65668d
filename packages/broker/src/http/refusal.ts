import type { RefusalReason } from '@hallpass/core'

/** Error codes on the wire: RFC 6749 5.2, RFC 8693 2.2.2, RFC 8707, RFC 9396, RFC 9449, RFC 8628 (`access_denied`), RFC 6750. */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'
  | 'invalid_authorization_details'
  | 'invalid_target'
  | 'access_denied'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'invalid_token'
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
  'internal',
])

/** HTTP status of an error code. */
export function statusOf(error: ErrorCode): number {
  switch (error) {
    case 'invalid_client':
    case 'invalid_token':
      return 401
    case 'temporarily_unavailable':
      return 503
    case 'not_found':
      return 404
    case 'method_not_allowed':
      return 405
    case 'invalid_request':
    case 'unauthorized_client':
    case 'unsupported_grant_type':
    case 'unsupported_token_type':
    case 'invalid_authorization_details':
    case 'invalid_target':
    case 'access_denied':
    case 'invalid_dpop_proof':
    case 'use_dpop_nonce':
      return 400
  }
}

/** The one sentence a caller reads. Constant per code: what differs between reasons is for the trail. */
export function describe(error: ErrorCode): string {
  switch (error) {
    case 'invalid_request':
      return 'The request is malformed, or its subject token is not acceptable'
    case 'invalid_client':
      return 'Client authentication failed'
    case 'unauthorized_client':
      return 'This client may not make this request'
    case 'unsupported_grant_type':
      return 'The grant type is not supported'
    case 'unsupported_token_type':
      return 'The token type is not supported'
    case 'invalid_authorization_details':
      return 'The authorization details are malformed, unknown, or wider than allowed'
    case 'invalid_target':
      return 'The resource is unknown or not the one named in the authorization details'
    case 'access_denied':
      return 'The request was denied'
    case 'invalid_dpop_proof':
      return 'The DPoP proof is missing or not acceptable'
    case 'use_dpop_nonce':
      return 'The DPoP proof needs the nonce of this response'
    case 'invalid_token':
      return 'The access token or its proof is not acceptable'
    case 'temporarily_unavailable':
      return 'The request cannot be checked right now'
    case 'not_found':
      return 'There is nothing here'
    case 'method_not_allowed':
      return 'The method is not allowed here'
  }
}
