import {
  HallpassError,
  isPromise,
  type EventType,
  type FaultCode,
  type MaybePromise,
  type RefusalReason,
  type SpanAttributes,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { factsOf, type Attempt } from './attempt.ts'
import { ERRORS, reject, type ErrorCode, type Refusal, type Step } from './refusal.ts'

/** A response as plain data, whatever door it leaves through. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or nothing. */
  readonly body?: object
}

/** One request, and how its refusal is recorded and told. */
export interface Manner {
  readonly attempt: Attempt
  /** Event type of a refusal somebody is answerable for; without one, refusals are only counted. */
  readonly refused?: EventType
  /** True where the endpoint takes the broker's own tokens: proofs and tokens are then challenged with 401 (RFC 9449 section 7.1). */
  readonly challenge?: boolean
}

export const RETRY_AFTER_SECONDS = 2

/**
 * Runs the work of one request and turns what comes of it into an answer: an error in the work is a refusal,
 * and every refusal is in the trail, by itself or counted, under the event id the caller is given.
 */
export async function answer(engine: Engine, manner: Manner, work: () => MaybePromise<Step<object>>): Promise<Answer> {
  const { attempt } = manner
  let step: Step<object>
  try {
    const done = work()
    step = isPromise(done) ? await done : done
  } catch (fault) {
    step = refusalOf(fault)
  }
  if (step.ok) return { status: 200, headers: headersOf(engine), body: step.value }
  const event = await recordRefusal(engine, manner, step)
  attempt.traced?.set(refusedAttributes(step, event))
  return refused(engine, { refusal: step, attempt, event, challenge: manner.challenge === true })
}

const refusedAttributes = ({ error, reason, rule }: Refusal, event: string): SpanAttributes => ({
  'hallpass.effect': 'deny',
  'hallpass.reason': reason,
  'hallpass.rules': rule,
  'hallpass.event.id': event,
  'error.type': error === 'temporarily_unavailable' ? reason : undefined,
})

interface Told {
  readonly refusal: Refusal
  readonly attempt: Attempt
  readonly event: string
  readonly challenge: boolean
}

function refused(engine: Engine, { refusal, attempt, event, challenge }: Told): Answer {
  const { error, reason } = refusal
  const [status, description] = ERRORS[error]
  const isChallenge = challenge && CHALLENGED.has(error)
  const headers = {
    ...headersOf(engine),
    ...(isChallenge ? { 'www-authenticate': `DPoP error="${error}", algs="ES256"` } : {}),
    ...(RETRIED.has(error) ? { 'retry-after': String(refusal.retryAfterSeconds ?? RETRY_AFTER_SECONDS) } : {}),
  }
  // Whoever fails to authenticate hears one thing, however far they got.
  const told = attempt.standing === 'authenticated' && error !== 'invalid_client' ? { reason } : {}
  const body = { error, error_description: description, event, ...told }
  return { status: isChallenge ? 401 : status, headers, body }
}

const CHALLENGED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['invalid_token', 'invalid_dpop_proof', 'use_dpop_nonce'])

const RETRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['temporarily_unavailable', 'slow_down'])

const NOT_STORED: Readonly<Record<string, string>> = Object.freeze({ 'cache-control': 'no-store', pragma: 'no-cache' })

function headersOf({ nonces }: Engine): Readonly<Record<string, string>> {
  return nonces ? { ...NOT_STORED, 'dpop-nonce': nonces.current() } : NOT_STORED
}

/** Puts a refusal on record and returns the id of the event that tells of it. */
async function recordRefusal(engine: Engine, { attempt, refused: type }: Manner, refusal: Refusal): Promise<string> {
  const { reason, detail, rule, facts } = refusal
  if (type === undefined || attempt.standing === 'unknown' || reason === 'rate-limited')
    return engine.traffic.refused(reason, attempt.paced)
  const event = engine.recorder.note(type, {
    ...factsOf(attempt),
    reason,
    ...(detail === undefined ? {} : { detail }),
    ...(rule === undefined ? {} : { rule }),
    ...(facts === undefined ? {} : { facts }),
    policy: { version: engine.policy.version, digest: engine.policy.digest },
  })
  if (attempt.txn !== undefined && refusal.error !== 'temporarily_unavailable') await noteInTask(engine, attempt.txn)
  return event
}

/** The refusal stands whether or not the ledger can count it. */
async function noteInTask(engine: Engine, txn: string): Promise<void> {
  try {
    await engine.ledger.noteRefusal(txn)
  } catch {
    // Counting it is for the task's history only.
  }
}

/** What a broken part means for the request: it could not be checked, so it is refused, and may be tried again. */
function refusalOf(fault: unknown): Refusal {
  const reason = fault instanceof HallpassError ? (REASON_OF[fault.code] ?? 'internal') : 'internal'
  return reject('temporarily_unavailable', { reason })
}

const REASON_OF: Partial<Record<FaultCode, RefusalReason>> = {
  'ledger-unavailable': 'ledger-unavailable',
  'audit-unavailable': 'audit-unavailable',
  'key-unavailable': 'keys-unavailable',
}
