import type { JsonObject } from '@hallpass/core'
import { PROBLEM_BASE, parseStrictJson } from '@hallpass/core'
import type { CallReason } from '../outcome/advice.ts'
import { refusal } from '../outcome/refusal.ts'
import { asObject } from '../wire/json-object.ts'
import { readLimited } from '../wire/read-limited.ts'
import type { Presented, RefusedGrant } from './perform-call.ts'

/** The coarse types of the verifier's problems, and what they are called here. */
const reasonOfType: ReadonlyMap<unknown, CallReason> = new Map<unknown, CallReason>([
  ['credentials-missing', 'credential-missing'],
  ['request-malformed', 'request-malformed'],
  ['grant-invalid', 'token-expired'],
  ['binding-failed', 'binding-failed'],
  ['grant-revoked', 'grant-revoked'],
  ['grant-exhausted', 'grant-exhausted'],
  ['task-closed', 'task-ended'],
  ['proof-invalid', 'proof-malformed'],
  ['nonce-required', 'proof-nonce'],
  ['not-granted', 'resource-mismatch'],
  ['cannot-verify', 'status-stale'],
  ['idempotency-conflict', 'idempotency-conflict'],
  ['idempotency-running', 'idempotency-running'],
  ['idempotency-unknown', 'idempotency-unknown'],
  ['idempotency-done', 'idempotency-done'],
  ['body-too-large', 'body-too-large'],
  ['body-timeout', 'body-timeout'],
  ['body-unsupported', 'body-unsupported'],
])

/** Errors of a DPoP challenge (RFC 9449 section 7.1), for APIs behind another verifier. */
const reasonOfError: ReadonlyMap<unknown, CallReason> = new Map<unknown, CallReason>([
  ['invalid_token', 'token-expired'],
  ['invalid_dpop_proof', 'proof-malformed'],
  ['use_dpop_nonce', 'proof-nonce'],
  ['invalid_request', 'request-malformed'],
  ['insufficient_scope', 'resource-mismatch'],
  ['insufficient_authorization_details', 'resource-mismatch'],
])

const MAX_PROBLEM_BYTES = 16_384

/** Tells a verifier's refusal from an answer of the API. Whatever is not clearly a refusal is the API's answer. */
export async function readApiAnswer(response: Response): Promise<Presented<Response>> {
  if (response.status < 400) return { ok: true, value: response }
  const problem = isProblem(response) ? await problemIn(response) : undefined
  const type = problem?.['type']
  if (typeof type === 'string' && type.startsWith(PROBLEM_BASE)) {
    const unknown = response.status >= 500 ? 'status-stale' : 'action-mismatch'
    return refused(response, reasonOfType.get(type.slice(PROBLEM_BASE.length)) ?? unknown, problem?.['event'])
  }
  const reason = reasonOfError.get(challengeError(response))
  return reason === undefined ? { ok: true, value: response } : refused(response, reason)
}

/** Read from a copy: what turns out to be the API's own is handed on as it came. */
async function problemIn(response: Response): Promise<JsonObject | undefined> {
  const bytes = await readLimited(response.clone(), MAX_PROBLEM_BYTES)
  const parsed = bytes === undefined ? undefined : parseStrictJson(bytes)
  return parsed?.ok ? asObject(parsed.value) : undefined
}

function refused(response: Response, reason: CallReason, event?: unknown): RefusedGrant {
  // Nobody reads it, and a connection is held by a body that is not read.
  response.body?.cancel().catch(() => {})
  return { ok: false, refusal: refusal(reason, { event }), isTokenGone: reason === 'token-expired' }
}

const isProblem = (response: Response): boolean =>
  /^application\/problem\+json\b/i.test(response.headers.get('content-type') ?? '')

function challengeError(response: Response): string | undefined {
  const challenge = response.headers.get('www-authenticate') ?? ''
  return /^DPoP\b/i.test(challenge) ? /\berror="([a-z_]{1,64})"/.exec(challenge)?.[1] : undefined
}
