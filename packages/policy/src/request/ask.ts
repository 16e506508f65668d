import type { Action, JsonObject } from '@hallpass/core'
import type { AgentRegistration } from '../agent/agent.ts'
import type { PolicyModel } from '../model.ts'
import type { DecisionRequest } from './decision-request.ts'

/** A request that was found to be about something the policy knows. */
export interface Ask {
  readonly model: PolicyModel
  readonly request: DecisionRequest
  readonly agent: AgentRegistration
  readonly action: Action
  readonly resourceParts: Readonly<Record<string, string>>
  /** Raw, as it was asked: what a grant's digest or constraints are checked against. */
  readonly raw: JsonObject
  /** Output of the action's schema, frozen. */
  readonly parameters: unknown
}
