import type { GrantAsk } from '../broker/broker.ts'
import type { HeldGrant } from '../grant/held-grant.ts'
import type { CallReason } from '../outcome/advice.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { Asked, TaskSession } from '../task/task-session.ts'
import { linkAborts } from '../wire/linked-abort.ts'
import { grantAtHand } from './call-context.ts'
import type { WantedCall } from './call-plan.ts'

/** What came of presenting a grant: a value, or the verifier's refusal in front of it. */
export type Presented<T> = { readonly ok: true; readonly value: T } | RefusedGrant

export interface RefusedGrant {
  readonly ok: false
  readonly refusal: Refusal
  /** The token ran out or is not known there, though this client held it for good: worth one new one. */
  readonly isTokenGone: boolean
}

/** Presents a grant with a fresh proof: sends the request, or calls the guarded function. */
export type Present<T> = (held: HeldGrant, until: AbortSignal, trace?: string) => Promise<Presented<T>>

export interface CallSetup<T> {
  readonly session: TaskSession
  /** Signals of those who own the call. */
  readonly signals: readonly AbortSignal[]
  readonly callId: string
  readonly present: Present<T>
}

/** The same, and the span it is made under. */
interface TracedSetup<T> extends CallSetup<T> {
  /** W3C `traceparent`. */
  readonly trace?: string | undefined
}

export type Performed<T> = { readonly ok: true; readonly value: T; readonly held: HeldGrant } | Refusal

/**
 * One call: under a grant that is at hand and covers it, or a new one; presented with a fresh proof; one new grant after
 * a token that the API did not know or that ran out, never a second. A grant that is exhausted is not asked for again.
 *
 * @throws the reason of a signal that fired; a task that ended meanwhile is a value.
 */
export function performCall<T>(call: WantedCall, setup: CallSetup<T>): Promise<Performed<T>> {
  return underSpan(call, setup, (traced) => untilOver(setup, (until) => attempts(call, traced, until)))
}

/** One call under this grant and no other. */
export function performUnder<T>(held: HeldGrant, call: WantedCall, setup: CallSetup<T>): Promise<Performed<T>> {
  return underSpan(call, setup, (traced) =>
    untilOver(setup, async (until) => {
      if (!held.take(call.parameters)) return refusal('grant-exhausted')
      return settle(held, setup.session, await presented(held, traced, until))
    }),
  )
}

/** The call as one span, where somebody traces. */
function underSpan<T>(
  { action, audience }: WantedCall,
  setup: CallSetup<T>,
  work: (setup: TracedSetup<T>) => Promise<Performed<T>>,
): Promise<Performed<T>> {
  const { session, callId } = setup
  const { telemetry, txn, trace } = session
  if (telemetry === undefined) return work(setup)
  const call = { action: action.name, audience, txn, callId, trace }
  return telemetry.tool(call, ({ traceparent }) => work({ ...setup, trace: traceparent }), cameOf)
}

const cameOf = (performed: Performed<unknown>) => {
  if (!performed.ok) return { reason: performed.reason }
  return performed.value instanceof Response ? { status: performed.value.status } : {}
}

/** Work that the task's end and the owners' signals stop: theirs are thrown, the end of the task is a value. */
export async function untilOver<R>(
  { session, signals }: Pick<CallSetup<unknown>, 'session' | 'signals'>,
  work: (until: AbortSignal) => Promise<R | Refusal>,
): Promise<R | Refusal> {
  for (const signal of signals) signal.throwIfAborted()
  if (session.over.aborted) return refusal('task-ended')
  const until = linkAborts([session.over, ...signals])
  try {
    return await work(until.signal)
  } catch (error) {
    for (const signal of signals) signal.throwIfAborted()
    if (session.over.aborted) return refusal('task-ended')
    throw error
  } finally {
    until.release()
  }
}

async function attempts<T>(call: WantedCall, setup: TracedSetup<T>, until: AbortSignal): Promise<Performed<T>> {
  const { session, callId, trace } = setup
  const { audience, action, resource, parameters } = call
  const ask = { audience, action: action.name, resource, parameters, callId, trace }
  let held = taken(session, ask)
  for (let isFirst = true; ; isFirst = false) {
    if (held === undefined) {
      const asked = await newGrant(session, ask, until)
      if (!asked.ok) return asked
      held = asked.held
    }
    const answer = await presented(held, setup, until)
    if (answer.ok || !isFirst || !answer.isTokenGone) return settle(held, session, answer)
    session.drop(held)
    held = undefined
  }
}

/** The grant of the guarded tool this call comes from, or one of the task that has uses left. */
function taken(session: TaskSession, ask: GrantAsk): HeldGrant | undefined {
  const current = grantAtHand(session.txn, ask)
  return current?.take(ask.parameters) ? current : session.take(ask)
}

async function newGrant(session: TaskSession, ask: GrantAsk, until: AbortSignal): Promise<Asked> {
  const asked = await session.ask(ask, { reusable: true, signal: until })
  // A grant that cannot carry the call it was asked for is for the API to refuse, on record.
  if (asked.ok) asked.held.take(ask.parameters)
  return asked
}

async function presented<T>(held: HeldGrant, setup: TracedSetup<T>, until: AbortSignal): Promise<Presented<T>> {
  const { session, present, callId, trace } = setup
  let answer: Presented<T> | undefined
  try {
    answer = await present(held, until, trace)
    return answer
  } finally {
    const isAnswered = answer !== undefined && (answer.ok || !UNANSWERED.has(answer.refusal.reason))
    session.release(held, isAnswered ? undefined : { callId })
  }
}

function settle<T>(held: HeldGrant, session: TaskSession, answer: Presented<T>): Performed<T> {
  if (answer.ok) return { ok: true, value: answer.value, held }
  if (USELESS.has(answer.refusal.reason)) session.drop(held)
  session.note(answer.refusal)
  return answer.refusal
}

/** After these the call may still be under way, or done. */
const UNANSWERED: ReadonlySet<CallReason> = new Set(['api-unavailable', 'idempotency-running'])

/** Answers after which the grant is of no more use. */
const USELESS: ReadonlySet<CallReason> = new Set(['grant-exhausted', 'grant-revoked', 'grant-unknown', 'token-expired'])
