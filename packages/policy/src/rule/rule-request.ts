import type {
  ActionName,
  ActionOf,
  ActionsOf,
  ApiSet,
  Decimal,
  JsonObject,
  ParametersOut,
  PartsOf,
  ResourceOf,
  Risk,
  VerifiedIdentity,
} from '@hallpass/core'

/** Says in an error message what is missing. */
export interface EnvironmentsNotDeclared {
  readonly declare: 'environments in the policy, before a rule looks at one'
}

export type Weekday = 'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday'

/** The words of one policy, so that a comparison with a misspelt one does not compile. */
export interface Words<
  Purpose extends string = string,
  Agent extends string = string,
  Environment extends string = string,
> {
  readonly purpose: Purpose
  readonly agent: Agent
  readonly environment: Environment
}

/** Names of the parameters that are decimals. */
export type DecimalName<P> = { [K in keyof P]-?: NonNullable<P[K]> extends Decimal ? K : never }[keyof P] & string

/** The decimal parameters of each action, by its name. */
export type DecimalsOf<S extends ApiSet> = {
  readonly [N in ActionName<S>]: DecimalName<ParametersOut<ActionsOf<S>[N]>>
}

/** What the task has done so far, as rules may ask it. */
export interface RuleTask<Decimals extends Readonly<Record<string, string>>> {
  /** NumericDate seconds. */
  readonly openedAt: number
  /** NumericDate seconds. */
  readonly deadline: number
  /** Decisions refused in this task so far. */
  readonly refusals: number
  /** Uses of this action so far. */
  uses(action: keyof Decimals): number
  /** What the task spent of a total that a rule of this policy sets for this action alone; throws where there is none. */
  spent<N extends keyof Decimals>(action: N, parameter: Decimals[N]): Decimal
}

/** What a rule's predicate may look at: frozen, and nothing else. There is no note in it. */
export interface RuleRequest<Name, Resource, Parts, Parameters, Facts, Task, W extends Words> {
  readonly agent: W['agent']
  readonly owner: string
  readonly identity: Readonly<Pick<VerifiedIdentity, 'kind' | 'iss' | 'sub' | 'claims'>>
  readonly onBehalfOf: { readonly iss: string; readonly sub: string; readonly tenant?: string } | undefined
  readonly purpose: W['purpose']
  readonly action: Name
  readonly risk: Risk
  /** As the broker was given it; undefined where nobody scores. */
  readonly riskScore: number | undefined
  readonly resource: Resource
  /** The values in the resource: `{ id: '123' }` for `order:{id}`. */
  readonly resourceParts: Parts
  /** Output of the action's schema: decimals are `Decimal`. */
  readonly parameters: Readonly<Parameters>
  /** The facts this rule needs, and no other. */
  readonly facts: Readonly<Facts>
  /** One of the policy's environments; throws where the policy declares none. */
  readonly environment: [W['environment']] extends [never] ? EnvironmentsNotDeclared : W['environment']
  readonly posture: JsonObject | undefined
  readonly task: Task
  /** NumericDate seconds. */
  readonly now: number
  /** 0 to 23, UTC. */
  readonly hour: number
  /** UTC. */
  readonly weekday: Weekday
}

/** The requests of some actions, one union member each; `never` means every action of the api. */
export type RequestFor<S extends ApiSet, N, Facts, W extends Words> = [N] extends [never]
  ? RequestOf<S, ActionName<S>, Facts, W>
  : RequestOf<S, N, Facts, W>

type RequestOf<S extends ApiSet, N, Facts, W extends Words> =
  N extends ActionName<S>
    ? RuleRequest<
        N,
        ResourceOf<ActionOf<S, N>>,
        PartsOf<ActionOf<S, N>>,
        ParametersOut<ActionOf<S, N>>,
        Facts,
        RuleTask<DecimalsOf<S>>,
        W
      >
    : never
