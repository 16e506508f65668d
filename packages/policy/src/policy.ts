import type { Api, ApiSet, MaybePromise } from '@hallpass/core'
import type { AgentRegistration } from './agent/agent.ts'
import type { Decision } from './decision/decision.ts'
import type { Finding } from './check/finding.ts'
import type { Explanation } from './explain/explanation.ts'
import type { DecisionOptions, DecisionRequest } from './request/decision-request.ts'

/** One rule of a policy, for lists and reports. */
export interface RuleSummary {
  readonly id: string
  readonly effect: 'permit' | 'deny' | 'approve'
  readonly actions: readonly string[]
  readonly description?: string
}

/** A checked policy. Frozen; made by `definePolicy` or `mergePolicies` only. */
export interface Policy<S extends ApiSet = ApiSet, Purpose extends string = string, Agent extends string = string> {
  readonly version: string
  /**
   * `sha-256:` and base64url over the policy's data and the source text of its functions.
   * Not covered: what those functions close over or import.
   */
  readonly digest: string
  /** As it was given; `apis` is the same as a list. */
  readonly api: S
  readonly apis: readonly Api[]
  readonly purposes: readonly Purpose[]
  /** Environments a request may name. Empty = the policy does not look at the environment. */
  readonly environments: readonly string[]
  /** Its rules, in the order they were written: what they are about, not how they decide. */
  readonly rules: readonly RuleSummary[]
  readonly agents: Readonly<Record<Agent, AgentRegistration>>
  /** The agent with this id, never a member of `Object.prototype`. */
  agent(id: string): AgentRegistration | undefined
  /** Answers at once unless a candidate rule needs a fact. Never throws, never rejects: what fails is a deny. */
  decide(request: DecisionRequest, options?: DecisionOptions): MaybePromise<Decision>
  /** The same decision in words: which rules were considered and why each did or did not match. */
  explain(request: DecisionRequest, options?: DecisionOptions): MaybePromise<Explanation>
  /** What a reader would want to be told: rules that can never match, agents without a permit, actions without a rule. */
  check(): readonly Finding[]
}
