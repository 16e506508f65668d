import type { ApiSet } from '@hallpass/core'
import type { ApiLink } from '../call/api-link.ts'
import { sending } from '../call/api-link.ts'
import type { CallOptions, CallOutcome, GrantOutcome, GuardedFunction, InvokeOutcome } from '../call/call-outcome.ts'
import type { Place } from '../call/call-plan.ts'
import { callIdOf, idempotencyHeader } from '../call/idempotency.ts'
import { invoking } from '../call/invoke-guarded.ts'
import { createJoinedCalls } from '../call/joined-calls.ts'
import { performCall, untilOver } from '../call/perform-call.ts'
import { actionNamed, planCall, wantedCall } from '../call/plan-call.ts'
import { taskFetch } from '../call/task-fetch.ts'
import type { SteadyClock } from '../clock/steady-clock.ts'
import type { Grant } from '../grant/grant.ts'
import { GrantHandle } from '../grant/grant-handle.ts'
import type { HeldGrant } from '../grant/held-grant.ts'
import type { ProofMaker } from '../proof/proof-maker.ts'
import type { TaskSession } from './task-session.ts'
import type { Task } from './task.ts'

export interface TaskParts {
  readonly purpose: string
  readonly api: ApiSet
  readonly places: readonly Place[]
  readonly send: ApiLink
  readonly proofs: () => Promise<ProofMaker>
  readonly clock: SteadyClock
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
  const { purpose, api, places, send, proofs, clock } = parts
  const joined = createJoinedCalls()
  const signalsOf = (signal: AbortSignal | undefined) => [parts.signal, signal].filter((one) => one !== undefined)

  async function call(name: string, input: AnyInput): Promise<CallOutcome> {
    const callId = callIdOf(input.callId)
    const planned = planCall(places, actionNamed(api, name), input)
    if (!planned.ok) return { ...planned, callId }
    const key = input.idempotencyKey ?? (planned.plan.action.risk === 'read' ? undefined : callId)
    if (key !== undefined) planned.plan.request.headers.set('idempotency-key', idempotencyHeader(callIdOf(key)))
    const signals = signalsOf(input.signal)
    const present = sending(send, planned.plan.request, signals)
    const performed = await joined.join(planned.plan, { callId, signal: input.signal }, () =>
      performCall(planned.plan, { session, signals, callId, present }),
    )
    if (!performed.ok) return { ...performed, callId }
    return { ok: true, response: performed.value, grant: performed.held.view(), callId }
  }

  async function invoke(guarded: GuardedFunction<string, unknown>, input: AnyInput): Promise<InvokeOutcome<unknown>> {
    const callId = callIdOf(input.callId)
    const wanted = wantedCall(actionNamed(api, guarded.action), input)
    if (!wanted.ok) return { ...wanted, callId }
    const present = invoking(guarded, wanted.plan, {
      places,
      proofs,
      clock,
      idempotencyKey: callIdOf(input.idempotencyKey ?? callId),
    })
    const signals = signalsOf(input.signal)
    const performed = await performCall(wanted.plan, { session, signals, callId, present })
    if (!performed.ok) return { ...performed, callId }
    return { ok: true, value: performed.value, grant: performed.held.view(), callId }
  }

  async function grant(name: string, input: AnyInput): Promise<GrantOutcome> {
    const callId = callIdOf(input.callId)
    const planned = wantedCall(actionNamed(api, name), input)
    if (!planned.ok) return planned
    const { audience, resource, parameters } = planned.plan
    const ask = { audience, action: name, resource, parameters, callId }
    const signals = signalsOf(input.signal)
    const asked = await untilOver({ session, signals }, (until) => session.ask(ask, { reusable: false, signal: until }))
    return asked.ok ? { ok: true, grant: handle(asked.held) } : asked
  }

  const fetchFrom = (request: Request, only?: HeldGrant) =>
    taskFetch(request, { places, send, session, signals: signalsOf(request.signal), ...(only && { only }) })

  const handle = (held: HeldGrant): Grant =>
    new GrantHandle(held, async (input, init) => fetchFrom(new Request(input, init), held))

  const task: Task = {
    ok: true,
    txn: session.txn,
    purpose,
    over: session.over,
    call,
    grant,
    invoke: invoke as Task['invoke'],
    fetch: async (input, init) => fetchFrom(new Request(input, init)),
    complete: () => session.end('completed'),
    fail: () => session.end('failed'),
    cancel: () => session.end('cancelled'),
    [Symbol.asyncDispose]: async () => void (await session.end('abandoned')),
  }
  // The types come from the catalog; at run time the catalog itself is asked.
  return task
}
