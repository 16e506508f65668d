import type { HeldGrant } from '../grant/held-grant.ts'
import { refusal } from '../outcome/refusal.ts'
import { refusedResponse } from '../outcome/refused-response.ts'
import type { ApiLink } from './api-link.ts'
import { sending } from './api-link.ts'
import { grantAtHand } from './call-context.ts'
import type { CallPlan, Place } from './call-plan.ts'
import { findCall } from './find-call.ts'
import { callIdOf, idempotencyHeader, idempotencyKeyIn } from './idempotency.ts'
import type { CallSetup, Performed } from './perform-call.ts'

import { performCall, performUnder } from './perform-call.ts'

export interface FetchSetup extends Pick<CallSetup<Response>, 'session' | 'signals'> {
  readonly places: readonly Place[]
  readonly send: ApiLink
  /** The one grant it may go under; without, the task's. */
  readonly only?: HeldGrant
}

/**
 * Sends a plain request as the call of the catalog that it is.
 *
 * @returns the API's response, or one that says why there is none. A request of no action is not sent.
 */
export async function taskFetch(request: Request, setup: FetchSetup): Promise<Response> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const found = await findCall(setup.places, request)
  const performed = found.ok ? await perform(found.plan, setup) : found
  return performed.ok ? performed.value : refusedResponse(performed, isRead)
}

async function perform(plan: CallPlan, { session, signals, send, only }: FetchSetup): Promise<Performed<Response>> {
  const { audience, action, resource, parameters, request } = plan
  const ask = { audience, action: action.name, resource, parameters }
  if (only !== undefined && !only.covers(ask)) return refusal('action-mismatch')
  const given = request.headers.get('idempotency-key')
  // Under a tool's grant the tool's call id counts on, so that a tool that runs again makes the same calls again.
  const held = only ?? grantAtHand(session.txn, ask)
  const callId = given === null ? (held?.nextCallId() ?? callIdOf(undefined)) : callIdOf(idempotencyKeyIn(given))
  if (given !== null || action.risk !== 'read') request.headers.set('idempotency-key', idempotencyHeader(callId))
  const present = sending(send, request, signals)
  const setup = { session, signals, callId, present }
  return only === undefined ? performCall(plan, setup) : performUnder(only, plan, setup)
}
