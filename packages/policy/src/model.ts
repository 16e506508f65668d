import type { Action, Api, ApiSet } from '@hallpass/core'
import type { AgentRegistration } from './agent/agent.ts'
import type { Fact } from './facts/fact.ts'
import type { Rule } from './rule/rule.ts'

/** Everything a policy is made of, checked; what `mergePolicies` merges. */
export interface PolicyParts {
  readonly version: string
  readonly api: ApiSet
  readonly purposes: readonly string[]
  readonly environments: readonly string[]
  readonly agents: readonly AgentRegistration[]
  readonly facts: ReadonlyMap<string, Fact>
  /** In the order they were written. */
  readonly rules: readonly Rule[]
}

/** A total that counts one parameter of one action and nothing else, which rules may ask for. */
export interface TaskTotal {
  readonly id: string
  readonly scale: number
}

/** The parts, indexed for deciding. */
export interface PolicyModel extends PolicyParts {
  readonly apis: readonly Api[]
  readonly actions: ReadonlyMap<string, Action>
  readonly agentById: ReadonlyMap<string, AgentRegistration>
  readonly purposeSet: ReadonlySet<string>
  readonly environmentSet: ReadonlySet<string>
  readonly rulesByAction: ReadonlyMap<string, readonly Rule[]>
  /** Actions for which some rule gives more than exactly what is asked: there it matters what rules look at. */
  readonly wideActions: ReadonlySet<string>
  /** By action and parameter, with a space between. */
  readonly taskTotals: ReadonlyMap<string, TaskTotal>
}
