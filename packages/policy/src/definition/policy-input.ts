import type { ActionName, ApiSet, Risk } from '@hallpass/core'
import type { AgentInput } from '../agent/agent.ts'
import type { FactInputs } from '../facts/fact-input.ts'
import type { RuleInput } from '../rule/rule-input.ts'
import type { Words } from '../rule/rule-request.ts'

/** Limits of grants whose rule says nothing, for one risk tier. */
export interface TierDefaults {
  readonly ttlSeconds?: number
  readonly calls?: number
}

/** The facts of a policy that has none. */
export type NoFacts = { readonly [name in never]: never }

/** What a rule's `T` may gather: its actions, the facts it needs, or a risk tier. */
export type RuleWord<S extends ApiSet, Facts> = ActionName<S> | keyof Facts | Risk

/** What a policy's author writes. `api`, `purposes`, `agents` and `facts` come first: they type the rules. */
export interface PolicyInput<
  S extends ApiSet,
  Purpose extends string,
  Agent extends string,
  Environment extends string,
  Facts,
  T extends readonly RuleWord<S, Facts>[],
> {
  readonly api: S
  /** Names this policy in grants and trail; revocations can name it. */
  readonly version: string
  readonly purposes: readonly Purpose[]
  /** Every environment a request may name. Needed as soon as a rule looks at it; then requests must name one too. */
  readonly environments?: readonly Environment[]
  readonly agents: { readonly [Id in Agent]: AgentInput<NoInfer<Purpose>> }
  readonly facts?: FactInputs<Facts, S, Words<NoInfer<Purpose>, NoInfer<Agent>, NoInfer<Environment>>>
  readonly rules: {
    readonly [I in keyof T]: RuleInput<S, Facts, T[I], Words<NoInfer<Purpose>, NoInfer<Agent>, NoInfer<Environment>>>
  }
  /** In place of read 60 s, write 30 s, critical 15 s, and one call each. */
  readonly defaults?: { readonly [R in Risk]?: TierDefaults }
}
