import type { Constraints, Limit } from '@hallpass/core'

export type Effect = 'permit' | 'deny' | 'approve'

/** What one rule gives for one action. */
export interface RuleAllowance {
  readonly ttlSeconds: number
  readonly limits: readonly Limit[]
  readonly resource: 'exact' | 'class'
  readonly constraints?: Constraints
}

/** Whom a rule is about; an absent set is everyone. */
export interface RuleScope {
  readonly agents?: ReadonlySet<string>
  readonly purposes?: ReadonlySet<string>
  readonly environments?: ReadonlySet<string>
}

/** A rule, checked and compiled. */
export interface Rule {
  readonly id: string
  /** Its place in the policy. */
  readonly serial: number
  readonly effect: Effect
  /** Sorted. */
  readonly actions: readonly string[]
  readonly scope: RuleScope
  /** Exact, or `kind:*`. */
  readonly resources?: readonly string[]
  readonly needs: readonly string[]
  readonly when?: (r: unknown) => unknown
  readonly approvers?: readonly string[]
  /** By action; empty for a deny. */
  readonly allowances: ReadonlyMap<string, RuleAllowance>
  readonly description?: string
  /** `policy.ts:14`: where the policy was defined, as far as the runtime says. */
  readonly site?: string
}
