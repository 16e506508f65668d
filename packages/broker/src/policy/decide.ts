import {
  isPromise,
  ok,
  partsOfResource,
  type JsonObject,
  type MaybePromise,
  type TaskRecord,
  type ToolCallRequest,
} from '@hallpass/core'
import type { Decision, DecisionRequest, Permit, TaskSoFar } from '@hallpass/policy'
import { completeAgent, type Engine } from '../engine.ts'
import { isUnderCeiling } from '../grant/ceiling.ts'
import { issuerOf, subjectOf } from '../identity/workload-names.ts'
import type { Writable } from '../writable.ts'
import type { Posture } from './posture.ts'
import { reject, type ErrorCode, type Step } from '../http/refusal.ts'

/** One call to decide on, in the light of the task it belongs to. */
export interface Question {
  readonly task: TaskRecord & TaskSoFar
  readonly call: ToolCallRequest
  readonly identityClaims: JsonObject
}

/**
 * Checks that the call names what exists and the task may touch, then asks the policy, now.
 * Anything but a permit is a refusal: what the policy throws, an answer nobody knows, and an approval nobody can give yet.
 */
export function decide(engine: Engine, question: Question): MaybePromise<Step<Permit>> {
  const asked = checkCall(engine, question)
  return isPromise(asked) ? asked.then((request) => ask(engine, request)) : ask(engine, asked)
}

function ask(engine: Engine, asked: Step<DecisionRequest>): MaybePromise<Step<Permit>> {
  if (!asked.ok) return asked
  let decision: MaybePromise<Decision>
  try {
    decision = engine.policy.decide(asked.value)
  } catch {
    return threw()
  }
  return isPromise(decision) ? decision.then((answer) => judge(engine, answer), threw) : judge(engine, decision)
}

const threw = (): Step<never> => reject('access_denied', { reason: 'policy-failed', detail: 'the policy threw' })

function checkCall(engine: Engine, { task, call, identityClaims }: Question): MaybePromise<Step<DecisionRequest>> {
  const [name] = call.actions
  const action = engine.actions.get(name)
  if (action === undefined || action.audience !== call.locations[0]) {
    return reject('invalid_authorization_details', {
      reason: 'action-mismatch',
      detail: 'no such action at this audience',
    })
  }
  const parts = partsOfResource(action, call.identifier)
  if (!parts.ok) return reject('invalid_authorization_details', parts)
  if (!isUnderCeiling(task.ceiling, name, call.identifier)) {
    return reject('invalid_authorization_details', { reason: 'ceiling-exceeded' })
  }
  const agent = completeAgent(engine.policy, task.clientId)
  if (agent === undefined) return reject('access_denied', { reason: 'agent-unknown' })
  // The policy of today may know the agent by another identity than the one the task was opened with.
  const { iss, sub } = task.identity
  const { identity } = agent
  if (sub !== subjectOf(identity) || iss !== issuerOf(identity)) {
    return reject('access_denied', {
      reason: 'identity-invalid',
      detail: 'the agent is registered with another identity now',
    })
  }
  const request: Writable<DecisionRequest> = {
    agent: agent.id,
    identity: { kind: identity.kind, iss, sub, claims: identityClaims },
    purpose: task.purpose,
    action: name,
    resource: call.identifier,
    parameters: call.parameters ?? {},
    task,
    now: engine.clock(),
  }
  if (task.onBehalfOf !== undefined) request.onBehalfOf = task.onBehalfOf
  if (engine.environment !== undefined) request.environment = engine.environment
  if (engine.posture === undefined) return ok(request)
  return withPosture(engine, request, { txn: task.txn, id: agent.id, iss, sub })
}

/** A posture that is not the one the task began with may end the task: that is done before anything is decided. */
async function withPosture(
  { posture: load, triggers }: Engine,
  request: DecisionRequest,
  { txn, ...agent }: Parameters<Posture>[0] & { readonly txn: string },
): Promise<Step<DecisionRequest>> {
  const posture = await load?.(agent)
  if (posture?.ok !== true) return reject('access_denied', posture ?? { reason: 'policy-failed' })
  await triggers.posture({ txn, clientId: agent.id }, posture.value)
  return ok({ ...request, posture: posture.value })
}

function judge(engine: Engine, decision: Decision): Step<Permit> {
  switch (decision.effect) {
    case 'permit':
      return ok(decision)
    case 'approve':
      return withRule(engine, reject('access_denied', { reason: 'approval-required' }), decision)
    case 'deny': {
      const { reason, at } = decision
      const detail = [decision.detail, at && `at ${at}`].filter(Boolean).join(', ')
      return withRule(engine, reject(codeOf(reason), detail ? { reason, detail } : { reason }), decision)
    }
    default:
      return reject('access_denied', { reason: 'policy-failed', detail: 'the policy gave an answer that is not one' })
  }
}

function withRule<R extends object>(
  engine: Engine,
  refusal: R,
  { rule, facts }: { readonly rule?: string; readonly facts?: string },
): R {
  return {
    ...refusal,
    ...(rule === undefined ? {} : { rule }),
    ...(facts === undefined ? {} : { facts: engine.digest(facts) }),
  }
}

/** What is wrong with the request itself is told as such; everything else is a no. */
const codeOf = (reason: string): ErrorCode =>
  reason === 'parameters-invalid' || reason === 'resource-mismatch' || reason === 'action-mismatch'
    ? 'invalid_authorization_details'
    : 'access_denied'
