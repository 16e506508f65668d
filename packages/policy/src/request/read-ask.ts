import { ok, parseParameters, partsOfResource, refuse } from '@hallpass/core'
import type { RefusalReason, Refused, Result } from '@hallpass/core'
import { isRecord } from '../definition/reader.ts'
import { NotData, snapshot } from '../facts/snapshot.ts'
import type { PolicyModel } from '../model.ts'
import type { Ask } from './ask.ts'
import type { DecisionRequest } from './decision-request.ts'

/** Checks that a request is about an agent, purpose, action, resource and parameters the policy knows. */
export function readAsk(model: PolicyModel, request: DecisionRequest): Result<Ask, RefusalReason> {
  if (!isComplete(request)) return refuse('request-invalid', 'the decision request is incomplete')
  const agent = model.agentById.get(request.agent)
  if (agent === undefined) return refuse('agent-unknown', 'the policy has no such agent')
  if (!model.purposeSet.has(request.purpose)) return refuse('purpose-unknown', 'the policy has no such purpose')
  if (!agent.purposes.includes(request.purpose))
    return refuse('purpose-unknown', 'the agent does not work for this purpose')
  const place = checkEnvironment(model, request.environment)
  if (place !== undefined) return place
  const action = model.actions.get(request.action)
  if (action === undefined) return refuse('details-invalid', 'the policy has no such action')
  const parts = partsOfResource(action, request.resource)
  if (!parts.ok) return refuse('details-invalid', 'the resource does not fit the action')
  const parsed = parseParameters(action, request.parameters)
  if (!parsed.ok) return parsed
  try {
    const parameters = snapshot(parsed.value, 'the parameters')
    return ok({
      model,
      request,
      agent,
      action,
      resourceParts: Object.freeze(parts.value),
      raw: request.parameters,
      parameters,
    })
  } catch (error) {
    return refuse(
      'policy-failed',
      error instanceof NotData ? `${error.message}; let the schema give plain data` : 'the parameters cannot be read',
    )
  }
}

/** Where a policy knows environments, a request has to name one of them: a deny rule must not be dodged by leaving it out. */
function checkEnvironment(
  { environmentSet }: PolicyModel,
  environment: string | undefined,
): Refused<RefusalReason> | undefined {
  if (environmentSet.size === 0) return undefined
  if (environment === undefined) return refuse('policy-failed', 'the policy asks for an environment and none was given')
  return environmentSet.has(environment)
    ? undefined
    : refuse('policy-failed', 'the policy does not know this environment')
}

function isComplete(request: DecisionRequest): boolean {
  if (!isRecord(request) || !isRecord(request.parameters) || !Number.isFinite(request.now)) return false
  if (
    !isRecord(request.identity) ||
    typeof request.identity.iss !== 'string' ||
    typeof request.identity.sub !== 'string'
  )
    return false
  const { task } = request
  if (!isRecord(task) || !Number.isFinite(task.openedAt) || !Number.isFinite(task.deadline)) return false
  return isRecord(task.uses) && isRecord(task.spent) && Number.isSafeInteger(task.refusals)
}
