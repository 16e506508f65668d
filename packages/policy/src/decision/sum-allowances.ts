import type { Constraints, Limit } from '@hallpass/core'
import type { PolicyModel } from '../model.ts'
import type { Rule } from '../rule/rule.ts'
import { intersectConstraints } from './intersect-constraints.ts'

/** What a set of rules that matched gives for one action: the strictest of each of them. */
export interface Sum {
  readonly rules: readonly string[]
  readonly approving: readonly Rule[]
  readonly ttlSeconds: number
  readonly limits: readonly Limit[]
  /** Which rule set each limit. */
  readonly setBy: ReadonlyMap<Limit, string>
  readonly isClass: boolean
  readonly constraints?: Constraints
}

/** Sums depend on nothing but the rules, so they are kept; what is forgotten is summed again. */
const MAX_KEPT = 1024
const kept = new WeakMap<PolicyModel, Map<string, Sum>>()

/** Sums what the matching rules, sorted by id, give for one action. Nothing depends on the order they were written in. */
export function sumAllowances(model: PolicyModel, action: string, matched: readonly Rule[]): Sum {
  let sums = kept.get(model)
  if (sums === undefined) kept.set(model, (sums = new Map()))
  let key = action
  for (const { serial } of matched) key += ` ${serial}`
  let sum = sums.get(key)
  if (sum === undefined) {
    if (sums.size >= MAX_KEPT) sums.clear()
    sums.set(key, (sum = add(action, matched)))
  }
  return sum
}

function add(action: string, matched: readonly Rule[]): Sum {
  const all = matched.flatMap((rule) => {
    const allowance = rule.allowances.get(action)
    return allowance === undefined ? [] : [{ rule, allowance }]
  })
  const strictest = new Map<string, { readonly limit: Limit; readonly rule: string }>()
  for (const { rule, allowance } of all) {
    for (const limit of allowance.limits) {
      const name = `${limit.per} ${limit.id}`
      const before = strictest.get(name)
      if (before === undefined || limit.max < before.limit.max) strictest.set(name, { limit, rule: rule.id })
    }
  }
  const limits = [...strictest].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, set]) => set)
  const constraints = all.map(({ allowance }) => allowance.constraints).filter((given) => given !== undefined)
  const both = constraints.length === all.length ? intersectConstraints(constraints) : undefined
  return Object.freeze({
    rules: Object.freeze([...new Set(all.map(({ rule }) => rule.id))]),
    approving: all.flatMap(({ rule }) => (rule.effect === 'approve' ? [rule] : [])),
    ttlSeconds: Math.min(...all.map(({ allowance }) => allowance.ttlSeconds)),
    limits: Object.freeze(limits.map(({ limit }) => limit)),
    setBy: new Map(limits.map(({ limit, rule }) => [limit, rule])),
    isClass: all.every(({ allowance }) => allowance.resource === 'class'),
    ...(both === undefined ? {} : { constraints: both }),
  })
}
