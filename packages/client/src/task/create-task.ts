import type { ApiSet } from '@hallpass/core'
import type { ApiLink } from '../call/api-link.ts'
import type { CallOptions, CallOutcome, GrantOutcome } from '../call/call-outcome.ts'
import type { CallPlan, Place } from '../call/call-plan.ts'
import { findCall } from '../call/find-call.ts'
import { callIdOf, idempotencyHeader, idempotencyKeyIn } from '../call/idempotency.ts'
import { createJoinedCalls } from '../call/joined-calls.ts'
import type { Performed } from '../call/perform-call.ts'
import { performCall, performUnder, untilOver } from '../call/perform-call.ts'
import { actionNamed, planCall, planLocal } from '../call/plan-call.ts'
import type { Grant } from '../grant/grant.ts'
import { GrantHandle } from '../grant/grant-handle.ts'
import type { HeldGrant } from '../grant/held-grant.ts'
import { refusal } from '../outcome/refusal.ts'
import { refusedResponse } from '../outcome/refused-response.ts'
import type { TaskSession } from './task-session.ts'
import type { Task } from './task.ts'

export interface TaskParts {
  readonly purpose: string
  readonly api: ApiSet
  readonly places: readonly Place[]
  readonly send: ApiLink
  /** Cancels the task; the caller's own, so that it also ends the reading of responses. */
  readonly signal: AbortSignal | undefined
}

interface AnyInput extends CallOptions {
  readonly resource: string
  readonly parameters?: unknown
  readonly idempotencyKey?: string
}

/** Puts the public face on a session. What it closes over cannot be printed or serialised. */
export function createTask<S extends ApiSet>(session: TaskSession, parts: TaskParts): Task<S> {
  const { purpose, api, places, send } = parts
  const joined = createJoinedCalls()
  const signalsOf = (signal: AbortSignal | undefined) => [parts.signal, signal].filter((one) => one !== undefined)
  const setupOf = (callId: string, signal: AbortSignal | undefined) => ({
    session,
    send,
    signals: signalsOf(signal),
    callId,
  })

  async function call(name: string, input: AnyInput): Promise<CallOutcome> {
    const callId = callIdOf(input.callId)
    const planned = planCall(places, actionNamed(api, name), input)
    if (!planned.ok) return { ...planned, callId }
    const key = input.idempotencyKey ?? (planned.plan.action.risk === 'read' ? undefined : callId)
    if (key !== undefined) planned.plan.request.headers.set('idempotency-key', idempotencyHeader(callIdOf(key)))
    const { signal } = input
    const performed = await joined.join(planned.plan, { callId, signal }, () =>
      performCall(planned.plan, setupOf(callId, signal)),
    )
    if (!performed.ok) return { ...performed, callId }
    return { ok: true, response: performed.response, grant: performed.held.view(), callId }
  }

  async function grant(name: string, input: AnyInput): Promise<GrantOutcome> {
    const callId = callIdOf(input.callId)
    const planned = planLocal(actionNamed(api, name), input)
    if (!planned.ok) return planned
    const { audience, resource, parameters } = planned.plan
    const ask = { audience, action: name, resource, parameters, callId }
    const signals = signalsOf(input.signal)
    const asked = await untilOver({ session, signals }, (until) => session.ask(ask, { reusable: false, signal: until }))
    return asked.ok ? { ok: true, grant: handle(asked.held) } : asked
  }

  const handle = (held: HeldGrant): Grant =>
    new GrantHandle(held, async (input, init) => fetchWith(new Request(input, init), held))

  async function fetchWith(request: Request, only?: HeldGrant): Promise<Response> {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const found = await findCall(places, request)
    if (!found.ok) return refusedResponse(found, isRead)
    const performed = await performFetched(found.plan, request.signal, only)
    return performed.ok ? performed.response : refusedResponse(performed, isRead)
  }

  async function performFetched(plan: CallPlan, signal: AbortSignal, only: HeldGrant | undefined): Promise<Performed> {
    const { headers } = plan.request
    const given = headers.get('idempotency-key')
    const callId = callIdOf(given === null ? undefined : idempotencyKeyIn(given))
    if (given !== null || plan.action.risk !== 'read') headers.set('idempotency-key', idempotencyHeader(callId))
    const setup = setupOf(callId, signal)
    if (only === undefined) return performCall(plan, setup)
    const { audience, action, resource, parameters } = plan
    const covered = only.covers({ audience, action: action.name, resource, parameters })
    return covered ? performUnder(only, plan, setup) : refusal('action-mismatch')
  }

  const task: Task = {
    ok: true,
    txn: session.txn,
    purpose,
    over: session.over,
    call,
    grant,
    fetch: async (input, init) => fetchWith(new Request(input, init)),
    complete: () => session.end('completed'),
    fail: () => session.end('failed'),
    cancel: () => session.end('cancelled'),
    [Symbol.asyncDispose]: async () => void (await session.end('abandoned')),
  }
  // The types come from the catalog; at run time the catalog itself is asked.
  return task
}
