import type { GrantAsk } from '../broker/broker.ts'
import type { HeldGrant } from '../grant/held-grant.ts'
import type { CallReason } from '../outcome/advice.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { Asked, TaskSession } from '../task/task-session.ts'
import type { ApiLink } from './api-link.ts'
import type { ApiAnswer } from './api-refusal.ts'
import { grantAtHand } from './call-context.ts'
import type { CallPlan } from './call-plan.ts'

export interface CallSetup {
  readonly session: TaskSession
  readonly send: ApiLink
  /** Signals of those who own the call. */
  readonly signals: readonly AbortSignal[]
  readonly callId: string
}

export type Performed = { readonly ok: true; readonly response: Response; readonly held: HeldGrant } | Refusal

/**
 * One call: under a grant that is at hand and covers it, or a new one; sent with a fresh proof; one new grant after a
 * token that the API did not know or that ran out, never a second. A grant that is exhausted is not asked for again.
 *
 * @throws the reason of a signal that fired; a task that ended meanwhile is a value.
 */
export function performCall(plan: CallPlan, setup: CallSetup): Promise<Performed> {
  return untilOver(setup, (until) => attempts(plan, setup, until))
}

/** One call under this grant and no other. */
export function performUnder(held: HeldGrant, plan: CallPlan, setup: CallSetup): Promise<Performed> {
  return untilOver(setup, async (until) => {
    if (!held.take(plan.parameters)) return refusal('grant-exhausted')
    return settle(held, setup, await sendUnder({ held, plan, until }, setup))
  })
}

/** Work that the task's end and the owners' signals stop: theirs are thrown, the end of the task is a value. */
export async function untilOver<T>(
  { session, signals }: Pick<CallSetup, 'session' | 'signals'>,
  work: (until: AbortSignal) => Promise<T | Refusal>,
): Promise<T | Refusal> {
  for (const signal of signals) signal.throwIfAborted()
  if (session.over.aborted) return refusal('task-ended')
  try {
    return await work(AbortSignal.any([session.over, ...signals]))
  } catch (error) {
    for (const signal of signals) signal.throwIfAborted()
    if (session.over.aborted) return refusal('task-ended')
    throw error
  }
}

async function attempts(plan: CallPlan, setup: CallSetup, until: AbortSignal): Promise<Performed> {
  const { session, callId } = setup
  const { audience, action, resource, parameters } = plan
  const ask = { audience, action: action.name, resource, parameters, callId }
  let held = taken(session, ask)
  for (let isFirst = true; ; isFirst = false) {
    if (held === undefined) {
      const asked = await newGrant(session, ask, until)
      if (!asked.ok) return asked
      held = asked.held
    }
    const answer = await sendUnder({ held, plan, until }, setup)
    if (answer.ok || !isFirst || !answer.isTokenGone) return settle(held, setup, answer)
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

type Sent = { readonly held: HeldGrant; readonly plan: CallPlan; readonly until: AbortSignal }

async function sendUnder(
  { held, plan, until }: Sent,
  { session, send, signals, callId }: CallSetup,
): Promise<ApiAnswer> {
  let answer: ApiAnswer | undefined
  try {
    answer = await send(held, plan.request, { until, signals })
    return answer
  } finally {
    const isAnswered = answer !== undefined && (answer.ok || !UNANSWERED.has(answer.refusal.reason))
    session.release(held, isAnswered ? undefined : { callId })
  }
}

function settle(held: HeldGrant, { session }: CallSetup, answer: ApiAnswer): Performed {
  if (answer.ok) return { ok: true, response: answer.response, held }
  if (USELESS.has(answer.refusal.reason)) session.drop(held)
  session.note(answer.refusal)
  return answer.refusal
}

/** After these the call may still be under way, or done. */
const UNANSWERED: ReadonlySet<CallReason> = new Set(['api-unavailable', 'idempotency-running'])

/** Answers after which the grant is of no more use. */
const USELESS: ReadonlySet<CallReason> = new Set(['grant-exhausted', 'grant-revoked', 'grant-unknown', 'token-expired'])
