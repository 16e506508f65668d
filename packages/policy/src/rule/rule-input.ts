import type {
  Action,
  ActionName,
  ActionOf,
  ApiSet,
  Decimal,
  JsonValue,
  ParametersIn,
  ParametersOut,
  ResourceOf,
  Risk,
} from '@hallpass/core'
import type { NonEmpty } from '../agent/agent.ts'
import type { DecimalName, RequestFor, Words } from './rule-request.ts'

/** Caps over one parameter each, as decimals: `{ amount: '200.00' }`. */
export type Totals<P> = { readonly [K in DecimalName<P>]?: string }

/** How far what a rule allows goes. Absent members take the defaults of the action's risk. */
export interface LimitsInput<P> {
  readonly ttlSeconds?: number
  /** Uses of one grant. */
  readonly calls?: number
  /** Per task, over all actions of the rule together. */
  readonly totals?: Totals<P>
  /** Per task, over all actions of the rule together: uses, and more totals. */
  readonly task?: { readonly calls?: number; readonly totals?: Totals<P> }
  /** Per agent in fixed windows, whatever the task. */
  readonly agent?: { readonly calls?: number; readonly totals?: Totals<P>; readonly windowSeconds: number }
}

interface Optional {
  /** The parameter may be missing. */
  readonly optional?: boolean
}
type DecimalConstraint = ({ readonly min?: string; readonly max?: string } | { readonly any: true }) & Optional
type ValueConstraint<V> = ({ readonly equals: V } | { readonly one_of: NonEmpty<V> } | { readonly any: true }) &
  Optional
type TextConstraint<V> = ValueConstraint<V> | ({ readonly prefix: string } & Optional)
type ConstraintFor<In, Out> = [NonNullable<Out>] extends [Decimal]
  ? DecimalConstraint
  : [NonNullable<In>] extends [string]
    ? TextConstraint<NonNullable<In>>
    : ValueConstraint<In & JsonValue>

/** What each parameter may be. Those that are not named may not be sent. */
export type ConstraintsInput<In, Out> = {
  readonly [K in keyof In]?: ConstraintFor<In[K], K extends keyof Out ? Out[K] : never>
}

/** `order:*` for `order:{id}`. */
type ClassOf<A> = A extends Action<string, `${infer Kind}:${string}`> ? `${Kind}:*` : never
/** The actions a rule selects; a tier may be any of them. */
type OfActions<S extends ApiSet, T> = ActionOf<
  S,
  [T & ActionName<S>] extends [never] ? ActionName<S> : T & ActionName<S>
>
/** A union's members that all have the same names, merged into what they share. */
type InOf<S extends ApiSet, N> = ParametersIn<OfActions<S, N>>
type OutOf<S extends ApiSet, N> = ParametersOut<OfActions<S, N>>

/** How wide the grant is. The default is what was asked: this resource, these parameters. */
export interface GrantInput<In, Out> {
  /** `class` covers every resource of the action's kind, for actions of risk `read` only. */
  readonly resource?: 'exact' | 'class'
  /** Closed-world constraints in place of the exact parameters. Not for actions of risk `critical`. */
  readonly parameters?: 'exact' | ConstraintsInput<In, Out>
}

/** A promise is no answer: an async function does not compile here. */
export interface SynchronousPredicate<R> {
  (r: R): boolean
}

/** What a rule is about: one action, several, or every action of one risk. Permits for `critical` actions must name them. */
type Selection<S extends ApiSet, T> =
  | { readonly action: T & ActionName<S>; readonly actions?: never; readonly risk?: never }
  | { readonly actions: readonly (T & ActionName<S>)[]; readonly action?: never; readonly risk?: never }
  | { readonly risk: T & Risk; readonly action?: never; readonly actions?: never }

/**
 * What a policy's author writes for one rule. `T` gathers its action names, facts and risk tier.
 * Write `when` after `action` and `needs`: it is typed by what stands before it.
 */
export type RuleInput<S extends ApiSet, Facts, T, W extends Words> = Selection<S, T> & RuleBody<S, Facts, T, W>

interface RuleBody<S extends ApiSet, Facts, T, W extends Words> {
  /** Unique in the policy; it is in decisions and in the trail. */
  readonly id: string
  readonly effect: 'permit' | 'deny' | 'approve'
  readonly agents?: NonEmpty<W['agent']>
  readonly purposes?: NonEmpty<W['purpose']>
  readonly environments?: NonEmpty<W['environment']>
  /** Exact, or `order:*`. */
  readonly resources?: NonEmpty<ResourceOf<OfActions<S, T>> | ClassOf<OfActions<S, T>>>
  /** Facts to load before this rule is asked. */
  readonly needs?: readonly (T & keyof Facts)[]
  /** Only `true` matches. Synchronous and without effects; anything but a boolean denies the request. */
  readonly when?: SynchronousPredicate<
    RequestFor<S, T & ActionName<S>, { readonly [K in T & keyof Facts]: Facts[K] }, W>
  >
  readonly limits?: LimitsInput<OutOf<S, T>>
  readonly grant?: GrantInput<InOf<S, T>, OutOf<S, T>>
  /** For `approve`: who may agree. Default: the agent's approvers. */
  readonly approvers?: NonEmpty<string>
  /** One line for people. */
  readonly description?: string
}
