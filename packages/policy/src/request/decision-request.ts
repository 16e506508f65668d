import type { JsonObject, VerifiedIdentity } from '@hallpass/core'

/** What the task has done so far; `TaskState` of the ledger has every member. */
export interface TaskSoFar {
  readonly openedAt: number
  readonly deadline: number
  /** Uses so far, by action. */
  readonly uses: Readonly<Record<string, number>>
  /** Spent so far, by limit id, in scaled units. */
  readonly spent: Readonly<Record<string, number>>
  /** Decisions refused in this task so far. */
  readonly refusals: number
}

/**
 * One question to a policy. There is no member for a task's note, and members that are not named here are not looked at:
 * free text reaches no rule.
 */
export interface DecisionRequest {
  /** Agent id = OAuth `client_id` = key of the policy's `agents`. The owner is taken from there. */
  readonly agent: string
  readonly identity: Pick<VerifiedIdentity, 'kind' | 'iss' | 'sub' | 'claims'>
  readonly purpose: string
  readonly onBehalfOf?: { readonly iss: string; readonly sub: string; readonly tenant?: string }
  readonly action: string
  /** Exact, such as `order:123`. */
  readonly resource: string
  /** Raw JSON as it was asked; the policy parses it with the action's schema. */
  readonly parameters: JsonObject
  readonly environment?: string
  readonly posture?: JsonObject
  readonly riskScore?: number
  readonly task: TaskSoFar
  /** NumericDate seconds. */
  readonly now: number
}

/**
 * Facts in place of the policy's own, by name: a function is a loader, anything else is the value. Those that are not
 * named are loaded as the policy says.
 */
export interface DecisionOptions {
  readonly facts?: Readonly<Record<string, unknown>>
}
