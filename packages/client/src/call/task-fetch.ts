import type { HeldGrant } from '../grant/held-grant.ts'
import { refusal } from '../outcome/refusal.ts'
import { refusedResponse } from '../outcome/refused-response.ts'
import { grantAtHand } from './call-context.ts'
import type { CallPlan, Place } from './call-plan.ts'
import { findCall } from './find-call.ts'
import { callIdOf, idempotencyHeader, idempotencyKeyIn } from './idempotency.ts'
import type { CallSetup, Performed } from './perform-call.ts'
import { performCall, performUnder } from './perform-call.ts'

/**
 * Sends a plain request as the call of the catalog that it is.
 *
 * @param only the one grant it may go under; without, the task's.
 * @returns the API's response, or one that says why there is none. A request of no action is not sent.
 */
export async function taskFetch(
  request: Request,
  { places, setup, only }: { places: readonly Place[]; setup: Omit<CallSetup, 'callId'>; only?: HeldGrant },
): Promise<Response> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const found = await findCall(places, request)
  const performed = found.ok ? await perform(found.plan, setup, only) : found
  return performed.ok ? performed.response : refusedResponse(performed, isRead)
}

async function perform(
  plan: CallPlan,
  setup: Omit<CallSetup, 'callId'>,
  only: HeldGrant | undefined,
): Promise<Performed> {
  const { audience, action, resource, parameters } = plan
  const ask = { audience, action: action.name, resource, parameters }
  if (only !== undefined && !only.covers(ask)) return refusal('action-mismatch')
  const { headers } = plan.request
  const given = headers.get('idempotency-key')
  // Under a tool's grant the tool's call id counts on, so that a tool that runs again makes the same calls again.
  const held = only ?? grantAtHand(setup.session.txn, ask)
  const callId = given === null ? (held?.nextCallId() ?? callIdOf(undefined)) : callIdOf(idempotencyKeyIn(given))
  if (given !== null || action.risk !== 'read') headers.set('idempotency-key', idempotencyHeader(callId))
  return only === undefined ? performCall(plan, { ...setup, callId }) : performUnder(only, plan, { ...setup, callId })
}
