import type { Constraints, Limit, RefusalReason } from '@hallpass/core'

/** What a grant under this decision looks like: the strictest of every rule that matched. */
interface Allowance {
  /** Every rule that matched and did not deny, sorted. */
  readonly rules: readonly string[]
  readonly ttlSeconds: number
  readonly limits: readonly Limit[]
  /** `class` only where every matching rule grants one and no rule looked at the resource. */
  readonly resource: 'exact' | 'class'
  /** What goes into the entry's `identifier`: `order:123`, or `order:*` for a class. */
  readonly identifier: string
  /** Absent = exactly the parameters that were asked, by digest. */
  readonly constraints?: Constraints
  /** Unkeyed SHA-256 of the facts that were loaded; key it before it is recorded. Absent when no rule needed one. */
  readonly facts?: string
}

export interface Permit extends Allowance {
  readonly effect: 'permit'
}

/** A person has to agree first; the rest is what the grant would be then. Always exact: resource and parameters. */
export interface Approve extends Allowance {
  readonly effect: 'approve'
  /** The approve rule that decided; the first by id where several did. */
  readonly rule: string
  /** Who may agree: in the approver list of every approve rule that matched. Never empty. */
  readonly approvers: readonly string[]
  readonly resource: 'exact'
  readonly constraints?: never
}

export interface Deny {
  readonly effect: 'deny'
  readonly reason: RefusalReason
  /** The deny rule that matched, or the rule that failed; the first by id where several did. */
  readonly rule?: string
  /** `policy.ts:14`: where the rule that failed threw, or else where its policy was defined. */
  readonly at?: string
  /** One sentence for the operator, without parameter or fact values. */
  readonly detail?: string
  readonly facts?: string
}

/** The answer to one request: deny over approve over permit, and anything unclear is a deny. */
export type Decision = Permit | Approve | Deny
