import { isPromise, ok, partsOfResource, type JsonObject, type TaskRecord, type ToolCallRequest } from '@hallpass/core'
import type { Decision, DecisionRequest, Permit, TaskSoFar } from '@hallpass/policy'
import { completeAgent, type Engine } from '../engine.ts'
import { isUnderCeiling } from '../grant/ceiling.ts'
import { issuerOf, subjectOf } from '../identity/workload-names.ts'
import type { Writable } from '../writable.ts'
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
export async function decide(engine: Engine, question: Question): Promise<Step<Permit>> {
  const asked = await checkCall(engine, question)
  if (!asked.ok) return asked
  let decision: Decision
  try {
    const answer = engine.policy.decide(asked.value)
    decision = isPromise(answer) ? await answer : answer
  } catch {
    return reject('access_denied', { reason: 'policy-failed', detail: 'the policy threw' })
  }
  return judge(engine, decision)
}

async function checkCall(engine: Engine, { task, call, identityClaims }: Question): Promise<Step<DecisionRequest>> {
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
  const posture = await engine.posture({ id: agent.id, iss, sub })
  return posture.ok ? ok({ ...request, posture: posture.value }) : reject('access_denied', posture)
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
