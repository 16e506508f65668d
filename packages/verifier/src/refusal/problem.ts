import type { RefusalReason } from '@hallpass/core'

/** How one reason looks from outside: coarser than the trail, on purpose. */
export interface Problem {
  readonly status: number
  /** Last part of the RFC 9457 `type`. */
  readonly type: string
  readonly title: string
  /** Error code of the challenge; `''` for a challenge without one, absent for an answer without a challenge. */
  readonly error?: string
}

const problem = (status: number, type: string, title: string): Problem => ({ status, type, title })
const challenge = (status: number, error: string, rest: { type: string; title: string }): Problem => ({
  status,
  error,
  ...rest,
})

const MISSING = challenge(401, '', {
  type: 'credentials-missing',
  title: 'This API takes a grant and a proof of its key',
})
const MALFORMED = challenge(400, 'invalid_request', {
  type: 'request-malformed',
  title: 'The credentials cannot be read',
})
const INVALID = challenge(401, 'invalid_token', { type: 'grant-invalid', title: 'The grant is not valid here' })
const BINDING = challenge(401, 'invalid_token', { type: 'binding-failed', title: 'The grant is bound to another key' })
const REVOKED = challenge(401, 'invalid_token', { type: 'grant-revoked', title: 'The grant was revoked' })
const EXHAUSTED = challenge(401, 'invalid_token', { type: 'grant-exhausted', title: 'The grant is used up' })
const CLOSED = challenge(401, 'invalid_token', { type: 'task-closed', title: 'The task is over' })
const PROOF = challenge(401, 'invalid_dpop_proof', {
  type: 'proof-invalid',
  title: 'The proof does not fit this request',
})
const NONCE = challenge(401, 'use_dpop_nonce', { type: 'nonce-required', title: 'The proof needs a fresh nonce' })
const NOT_GRANTED = challenge(403, 'insufficient_authorization_details', {
  type: 'not-granted',
  title: 'The grant does not cover this request',
})
const REQUEST = problem(400, 'request-malformed', 'The request cannot be read strictly')
const TOO_LARGE = problem(413, 'body-too-large', 'The body is too large')
const TIMEOUT = problem(408, 'body-timeout', 'The body did not arrive in time')
const UNSUPPORTED = problem(415, 'body-unsupported', 'The body is not plain JSON')
const CONFLICT = problem(422, 'idempotency-conflict', 'This idempotency key was used for another request')
const RUNNING = problem(409, 'idempotency-running', 'The first request with this idempotency key is still running')
const UNKNOWN = problem(
  409,
  'idempotency-unknown',
  'How the first request with this idempotency key ended is not known',
)
const DONE = problem(
  409,
  'idempotency-done',
  'The first request with this idempotency key was done; its answer was not kept',
)
const CANNOT_VERIFY = problem(503, 'cannot-verify', 'The request cannot be verified now')

/** RFC 6750, RFC 9449 and RFC 9457 answers by reason. One 401 body for everything a stranger could try. */
export function problemOf(reason: RefusalReason): Problem {
  switch (reason) {
    case 'credential-missing':
      return MISSING
    case 'credential-malformed':
      return MALFORMED
    case 'token-malformed':
    case 'token-algorithm':
    case 'token-type':
    case 'token-key-unknown':
    case 'token-signature':
    case 'token-claims':
    case 'issuer-unknown':
    case 'audience-mismatch':
    case 'not-yet-valid':
    case 'token-expired':
    case 'lifetime-exceeded':
    case 'grant-unknown':
    case 'task-unknown':
    case 'agent-unknown':
    case 'agent-incomplete':
    case 'incarnation-mismatch':
    case 'details-invalid': // its issuer signed an entry that no profile knows
      return INVALID
    case 'binding-failed':
      return BINDING
    case 'grant-revoked':
    case 'agent-revoked':
    case 'stopped':
      return REVOKED
    case 'grant-exhausted':
    case 'limit-exceeded':
      return EXHAUSTED
    case 'task-ended':
    case 'task-expired':
      return CLOSED
    case 'proof-missing':
    case 'proof-malformed':
    case 'proof-key':
    case 'proof-signature':
    case 'proof-method':
    case 'proof-url':
    case 'proof-time':
    case 'proof-token':
    case 'proof-body':
    case 'proof-query':
    case 'proof-replayed':
      return PROOF
    case 'proof-nonce':
      return NONCE
    case 'action-mismatch':
    case 'resource-mismatch':
    case 'parameters-mismatch':
    case 'constraint-failed':
    case 'constraint-unknown':
      return NOT_GRANTED
    case 'request-malformed':
    case 'parameters-invalid':
    case 'amount-invalid':
      return REQUEST
    case 'body-too-large':
      return TOO_LARGE
    case 'body-timeout':
      return TIMEOUT
    case 'body-unsupported':
      return UNSUPPORTED
    case 'idempotency-conflict':
      return CONFLICT
    case 'idempotency-running':
      return RUNNING
    case 'idempotency-unknown':
      return UNKNOWN
    case 'idempotency-done':
      return DONE
    default:
      // Keys, ledger or trail out of reach, and every word that has no business at a verifier.
      return CANNOT_VERIFY
  }
}
