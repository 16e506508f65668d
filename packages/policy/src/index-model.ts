import { apisOf } from '@hallpass/core'
import type { PolicyModel, PolicyParts, TaskTotal } from './model.ts'
import type { Rule } from './rule/rule.ts'

/** Indexes a policy's parts, so that a decision looks only at the rules of its action. */
export function indexModel(parts: PolicyParts): PolicyModel {
  const apis = apisOf(parts.api)
  const actions = new Map(apis.flatMap((api) => Object.values(api.actions)).map((action) => [action.name, action]))
  const rulesByAction = new Map<string, readonly Rule[]>()
  for (const name of actions.keys()) {
    const rules = parts.rules.filter((rule) => rule.actions.includes(name))
    rulesByAction.set(name, Object.freeze(rules.toSorted(byId)))
  }
  return Object.freeze({
    ...parts,
    apis,
    actions,
    agentById: new Map(parts.agents.map((agent) => [agent.id, agent])),
    purposeSet: new Set(parts.purposes),
    environmentSet: new Set(parts.environments),
    rulesByAction,
    wideActions: new Set(
      [...actions.keys()].filter((name) => rulesByAction.get(name)?.some((rule) => isWide(rule, name))),
    ),
    taskTotals: taskTotalsOf(parts.rules),
  })
}

const byId = (one: Rule, other: Rule): number => (one.id < other.id ? -1 : 1)

const isWide = ({ allowances }: Rule, action: string): boolean => {
  const allowance = allowances.get(action)
  return allowance !== undefined && (allowance.resource === 'class' || allowance.constraints !== undefined)
}

function taskTotalsOf(rules: readonly Rule[]): ReadonlyMap<string, TaskTotal> {
  const totals = new Map<string, TaskTotal>()
  for (const { actions, allowances } of rules) {
    const [action] = actions
    if (action === undefined || actions.length > 1) continue
    for (const { id, per, parameter, scale = 0 } of allowances.get(action)?.limits ?? []) {
      if (per === 'task' && parameter !== undefined) totals.set(`${action} ${parameter}`, { id, scale })
    }
  }
  return totals
}
