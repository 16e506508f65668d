import type { Explanation, Policy } from '@hallpass/policy'

/** How often one rule was asked, and what it said. */
export interface RuleCoverage {
  readonly rule: string
  readonly effect: 'permit' | 'deny' | 'approve'
  readonly matched: number
  readonly notMatched: number
  readonly failed: number
  /** Whether a test saw it match and a test saw it not match. */
  readonly isCovered: boolean
}

export interface PolicyCoverage {
  readonly rules: readonly RuleCoverage[]
  /** Rules that no test saw both ways. */
  readonly missing: readonly string[]
  readonly text: string
}

interface Counts {
  matched: number
  'not-matched': number
  failed: number
}

/** By policy, so that every test of a file counts. */
const counts = new WeakMap<Policy, Map<string, Counts>>()

export function countRules(policy: Policy, { rules }: Explanation): void {
  const seen = counts.get(policy) ?? new Map<string, Counts>()
  counts.set(policy, seen)
  for (const { rule, outcome } of rules) {
    const count = seen.get(rule) ?? { matched: 0, 'not-matched': 0, failed: 0 }
    count[outcome] += 1
    seen.set(rule, count)
  }
}

/**
 * Which rules of a policy its tests exercised so far, in this process, and with which answer. A rule that only ever
 * matched may be too wide, one that never did too narrow, and no test would say so.
 */
export function policyCoverage(policy: Policy): PolicyCoverage {
  const seen = counts.get(policy)
  const rules = policy.rules.map(({ id, effect }): RuleCoverage => {
    const { matched = 0, 'not-matched': notMatched = 0, failed = 0 } = seen?.get(id) ?? {}
    return { rule: id, effect, matched, notMatched, failed, isCovered: matched > 0 && notMatched > 0 }
  })
  const width = Math.max(0, ...rules.map(({ rule }) => rule.length))
  const lines = rules.map(
    ({ rule, matched, notMatched, failed, isCovered }) =>
      `${isCovered ? ' ' : '!'} ${rule.padEnd(width)}  matched ${matched}, not matched ${notMatched}${failed === 0 ? '' : `, failed ${failed}`}`,
  )
  return { rules, missing: rules.filter(({ isCovered }) => !isCovered).map(({ rule }) => rule), text: lines.join('\n') }
}
