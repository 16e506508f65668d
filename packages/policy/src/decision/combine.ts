import { amountsFor } from '@hallpass/core'
import type { Limit } from '@hallpass/core'
import type { Ask } from '../request/ask.ts'
import type { Looked } from '../request/request-view.ts'
import type { Decision, Deny } from './decision.ts'
import type { Sum } from './sum-allowances.ts'

/** An entry of a grant holds no more. */
const MAX_LIMITS = 16

/** Approve over permit, and the strictest of what every matching rule gives. */
export function combine(ask: Ask, sum: Sum, looked: Looked): Decision {
  const { rules, ttlSeconds, limits, approving } = sum
  const refused = checkLimits(ask, sum)
  if (refused !== undefined) return refused
  const [rule] = approving
  if (rule === undefined) return permit(ask, sum, looked)
  const approvers = approversFor(ask, sum)
  if (approvers.length === 0) {
    const detail = `no approver may agree to all of: ${approving.map(({ id }) => id).join(', ')}`
    return { effect: 'deny', reason: 'policy-failed', rule: rule.id, detail }
  }
  const identifier = ask.request.resource
  return { effect: 'approve', rule: rule.id, rules, approvers, ttlSeconds, limits, resource: 'exact', identifier }
}

function permit({ action, request }: Ask, sum: Sum, looked: Looked): Decision {
  const { rules, ttlSeconds, limits } = sum
  const isClass = sum.isClass && !looked.resource
  const decision: Decision = {
    effect: 'permit',
    rules,
    ttlSeconds,
    limits,
    resource: isClass ? 'class' : 'exact',
    identifier: isClass ? `${action.kind}:*` : request.resource,
  }
  return sum.constraints === undefined || looked.parameters ? decision : { ...decision, constraints: sum.constraints }
}

function approversFor({ agent }: Ask, { approving }: Sum): readonly string[] {
  const [first = [], ...rest] = approving.map((rule) => rule.approvers ?? agent.approvers)
  return first.filter((approver) => rest.every((others) => others.includes(approver))).toSorted()
}

/**
 * Refuses what the ledger would refuse anyway, so that no grant is issued and no person asked for it.
 * The ledger still decides: this is a look at counters, not a reservation.
 */
function checkLimits({ request: { task }, raw }: Ask, sum: Sum): Deny | undefined {
  const { limits } = sum
  if (limits.length > MAX_LIMITS) {
    const detail = `the rules together set more than ${MAX_LIMITS} limits`
    return { effect: 'deny', reason: 'policy-failed', ...firstRule(sum), detail }
  }
  const amounts = amountsFor(limits, raw)
  if (!amounts.ok) {
    const rule = ruleWith(
      sum,
      limits.find(({ parameter }) => parameter !== undefined),
    )
    const { reason, detail } = amounts
    return { effect: 'deny', reason, ...rule, ...(detail === undefined ? {} : { detail }) }
  }
  for (const limit of limits) {
    if (limit.per !== 'task') continue
    const amount = limit.parameter === undefined ? 1 : (amounts.value[limit.parameter] ?? 0)
    const before = Object.hasOwn(task.spent, limit.id) ? (task.spent[limit.id] ?? 0) : 0
    // Written so that a counter that is no number refuses.
    if (!(before + amount <= limit.max)) {
      const detail = `the task has too little left of ${limit.id}`
      return { effect: 'deny', reason: 'limit-exceeded', ...ruleWith(sum, limit), detail }
    }
  }
  return undefined
}

const firstRule = ({ rules: [rule] }: Sum): { readonly rule?: string } => (rule === undefined ? {} : { rule })

/** The first rule by id that sets this limit as strictly. */
function ruleWith(sum: Sum, limit: Limit | undefined): { readonly rule?: string } {
  const rule = limit === undefined ? undefined : sum.setBy.get(limit)
  return rule === undefined ? firstRule(sum) : { rule }
}
