import { amountsFor } from '@hallpass/core'
import type { Limit } from '@hallpass/core'
import type { Ask } from '../request/ask.ts'
import type { Looked } from '../request/request-view.ts'
import type { Rule, RuleAllowance } from '../rule/rule.ts'
import type { Decision, Deny } from './decision.ts'
import { intersectConstraints } from './intersect-constraints.ts'

/** An entry of a grant holds no more. */
const MAX_LIMITS = 16

/** Rules that matched and do not deny, with what each of them gives for the action that was asked. */
export interface Matched {
  readonly rule: Rule
  readonly allowance: RuleAllowance
}

const byId = (one: Matched, other: Matched): number => (one.rule.id < other.rule.id ? -1 : 1)

/** Approve over permit, and the strictest of what every matching rule gives. Nothing depends on the order of rules. */
export function combine(ask: Ask, found: readonly Matched[], looked: Looked): Decision {
  const matched = found.toSorted(byId)
  const approving = matched.filter(({ rule }) => rule.effect === 'approve')
  const limits = strictest(matched)
  const spent = checkSpent(ask, matched, limits)
  if (spent !== undefined) return spent
  const rules = [...new Set(matched.map(({ rule }) => rule.id))]
  const ttlSeconds = Math.min(...matched.map(({ allowance }) => allowance.ttlSeconds))
  const [first] = approving
  if (first !== undefined) {
    const approvers = approversFor(ask, approving)
    if (approvers.length === 0) {
      const detail = `no approver may agree to all of: ${approving.map(({ rule }) => rule.id).join(', ')}`
      return { effect: 'deny', reason: 'policy-failed', rule: first.rule.id, detail }
    }
    const identifier = ask.request.resource
    return {
      effect: 'approve',
      rule: first.rule.id,
      rules,
      approvers,
      ttlSeconds,
      limits,
      resource: 'exact',
      identifier,
    }
  }
  const isClass = !looked.resource && matched.every(({ allowance }) => allowance.resource === 'class')
  const constraints = looked.parameters ? undefined : constraintsOf(matched)
  return {
    effect: 'permit',
    rules,
    ttlSeconds,
    limits,
    resource: isClass ? 'class' : 'exact',
    identifier: isClass ? `${ask.action.kind}:*` : ask.request.resource,
    ...(constraints === undefined ? {} : { constraints }),
  }
}

function constraintsOf(matched: readonly Matched[]): RuleAllowance['constraints'] {
  const all = matched.map(({ allowance }) => allowance.constraints).filter((constraints) => constraints !== undefined)
  return all.length === matched.length ? intersectConstraints(all) : undefined
}

/** Every counter any of the rules sets, with the lowest cap any of them gives it. */
function strictest(matched: readonly Matched[]): readonly Limit[] {
  const [only, ...more] = matched
  if (only !== undefined && more.length === 0) return only.allowance.limits
  const found = new Map<string, Limit>()
  for (const { allowance } of matched) {
    for (const limit of allowance.limits) {
      const key = `${limit.per} ${limit.id}`
      const before = found.get(key)
      if (before === undefined || limit.max < before.max) found.set(key, limit)
    }
  }
  return Object.freeze([...found.keys()].toSorted().flatMap((key) => found.get(key) ?? []))
}

function approversFor({ agent }: Ask, approving: readonly Matched[]): readonly string[] {
  const [first = [], ...rest] = approving.map(({ rule }) => rule.approvers ?? agent.approvers)
  return first.filter((approver) => rest.every((others) => others.includes(approver))).toSorted()
}

/**
 * Refuses what the ledger would refuse anyway, so that no grant is issued and no person asked for it.
 * The ledger still decides: this is a look at counters, not a reservation.
 */
function checkSpent(
  { request: { task }, raw }: Ask,
  matched: readonly Matched[],
  limits: readonly Limit[],
): Deny | undefined {
  const [first] = matched
  if (limits.length > MAX_LIMITS) {
    const detail = `the rules together set more than ${MAX_LIMITS} limits`
    return { effect: 'deny', reason: 'policy-failed', detail, ...(first === undefined ? {} : { rule: first.rule.id }) }
  }
  const amounts = amountsFor(limits, raw)
  if (!amounts.ok) {
    const rule = ruleWith(
      matched,
      limits.find(({ parameter }) => parameter !== undefined),
    )
    return {
      effect: 'deny',
      reason: amounts.reason,
      ...rule,
      ...(amounts.detail === undefined ? {} : { detail: amounts.detail }),
    }
  }
  for (const limit of limits) {
    if (limit.per !== 'task') continue
    const amount = limit.parameter === undefined ? 1 : (amounts.value[limit.parameter] ?? 0)
    const before = Object.hasOwn(task.spent, limit.id) ? (task.spent[limit.id] ?? 0) : 0
    if (!(before + amount <= limit.max)) {
      return {
        effect: 'deny',
        reason: 'limit-exceeded',
        ...ruleWith(matched, limit),
        detail: `the task has too little left of ${limit.id}`,
      }
    }
  }
  return undefined
}

/** The first rule by id that sets this limit as strictly. */
function ruleWith(matched: readonly Matched[], limit: Limit | undefined): { readonly rule?: string } {
  const found = matched.find(({ allowance }) => limit !== undefined && allowance.limits.includes(limit))
  return found === undefined ? {} : { rule: found.rule.id }
}
