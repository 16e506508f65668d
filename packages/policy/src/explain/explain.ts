import { isPromise } from '@hallpass/core'
import type { JsonObject, MaybePromise } from '@hallpass/core'
import type { Decision } from '../decision/decision.ts'
import { evaluate } from '../decision/evaluate.ts'
import type { Note, Outcome } from '../decision/evaluate.ts'
import type { PolicyModel } from '../model.ts'
import { readAsk } from '../request/read-ask.ts'
import type { DecisionOptions, DecisionRequest } from '../request/decision-request.ts'
import type { Rule, RuleAllowance } from '../rule/rule.ts'
import { describeLimits } from './describe-limits.ts'
import type { Explanation, RuleTrace } from './explanation.ts'

/** Decides once more, this time taking notes. Names parameters and resources, never parameter or fact values. */
export function explain(
  model: PolicyModel,
  request: DecisionRequest,
  options: DecisionOptions = {},
): MaybePromise<Explanation> {
  const ask = readAsk(model, request)
  if (!ask.ok) {
    const { reason, detail } = ask
    const decision: Decision = { effect: 'deny', reason, ...(detail === undefined ? {} : { detail }) }
    return describe({ request, decision, rules: [], remarks: [] })
  }
  const noted = new Map<Rule, Outcome>()
  const note: Note = (rule, outcome) => void noted.set(rule, outcome)
  const decision = evaluate({ ask: ask.value, given: options.facts ?? {}, note })
  const finish = (made: Decision): Explanation => {
    const rules = model.rules.filter((rule) => noted.has(rule))
    const traces = rules.flatMap((rule) => trace(rule, noted.get(rule), request))
    const given = rules.flatMap((rule) =>
      noted.get(rule) === 'matched' ? (rule.allowances.get(request.action) ?? []) : [],
    )
    return describe({ request, decision: made, rules: traces, remarks: narrowing(made, given) })
  }
  return isPromise(decision) ? decision.then(finish) : finish(decision)
}

function trace(rule: Rule, outcome: Outcome | undefined, request: DecisionRequest): RuleTrace | [] {
  if (outcome === undefined) return []
  const base = { rule: rule.id, effect: rule.effect }
  if (typeof outcome === 'object') {
    const found: RuleTrace = {
      ...base,
      outcome: 'failed',
      why: `${outcome.detail}${outcome.at === undefined ? '' : `, at ${outcome.at}`}`,
    }
    return Object.defineProperty(found, 'cause', { value: outcome.cause, enumerable: false })
  }
  if (outcome === 'matched')
    return { ...base, outcome: 'matched', why: rule.when === undefined ? 'it has no predicate' : 'when answered true' }
  return { ...base, outcome: 'not-matched', why: WHY_NOT[outcome](rule, request) }
}

/** In words, why a rule's data or predicate kept it out. */
const WHY_NOT: Readonly<
  Record<Exclude<Outcome, object | 'matched'>, (rule: Rule, request: DecisionRequest) => string>
> = {
  agents: ({ scope }, { agent }) => `agent '${agent}' is not one of ${names(scope.agents)}`,
  purposes: ({ scope }, { purpose }) => `purpose '${purpose}' is not one of ${names(scope.purposes)}`,
  environments: ({ scope }, { environment }) =>
    `environment '${environment ?? ''}' is not one of ${names(scope.environments)}`,
  resources: ({ resources = [] }, { resource }) => `resource '${resource}' is not one of ${resources.join(', ')}`,
  constraints: ({ allowances }, { action }) =>
    `the parameters are outside the rule's constraints on ${constrained(allowances.get(action)?.constraints)}`,
  when: () => 'when answered false',
}

const names = (set: ReadonlySet<string> | undefined): string => [...(set ?? [])].join(', ')
const constrained = (constraints: object | undefined): string =>
  Object.keys(constraints ?? {}).join(', ') || 'no parameter at all'

/** Where a grant is not as wide as the rules that allow it say. */
function narrowing(decision: Decision, given: readonly RuleAllowance[]): readonly string[] {
  if (decision.effect !== 'permit') return []
  const isResource = decision.resource === 'exact' && given.every(({ resource }) => resource === 'class')
  const isParameters = decision.constraints === undefined && given.every(({ constraints }) => constraints !== undefined)
  return [
    ...(isResource ? ['  not the class: a rule goes by the resource, so the grant is for this one only'] : []),
    ...(isParameters ? ['  no constraints: a rule goes by the parameters, so the grant is for these only'] : []),
  ]
}

interface Explained {
  readonly request: DecisionRequest
  readonly decision: Decision
  readonly rules: readonly RuleTrace[]
  readonly remarks: readonly string[]
}

function describe({ request, decision, rules, remarks }: Explained): Explanation {
  const asked = `${request.agent} asked ${request.action} on ${request.resource} for ${request.purpose}${namesOf(request.parameters)}`
  const traces = rules.map(({ rule, effect, outcome, why }) => `  ${outcome.padEnd(11)} ${rule} (${effect}): ${why}`)
  const considered = traces.length === 0 ? ['  no rule names this action, or none was asked'] : traces
  const text = [headline(decision), `  ${asked}`, ...considered, ...consequence(decision, request), ...remarks].join(
    '\n',
  )
  return Object.freeze({ decision, rules: Object.freeze([...rules]), text })
}

const namesOf = (parameters: JsonObject): string => {
  const given = Object.keys(parameters ?? {})
  return given.length === 0 ? '' : `, with ${given.join(', ')}`
}

function headline(decision: Decision): string {
  if (decision.effect === 'permit') return `PERMIT by ${decision.rules.join(', ')}`
  if (decision.effect === 'approve')
    return `APPROVAL REQUIRED by ${decision.rule}, from ${decision.approvers.join(' or ')}`
  const { reason, rule, at, detail } = decision
  const parts = [`DENY ${reason}`, rule === undefined ? '' : ` by ${rule}`, at === undefined ? '' : ` at ${at}`]
  return `${parts.join('')}${detail === undefined ? '' : `: ${detail}`}`
}

function consequence(decision: Decision, request: DecisionRequest): readonly string[] {
  if (decision.effect === 'deny') return []
  const { identifier, constraints, ttlSeconds, limits } = decision
  const parameters =
    constraints === undefined
      ? 'exactly these parameters'
      : `parameters within constraints on ${constrained(constraints)}`
  return [
    `  grant: ${identifier}, ${parameters}, ${ttlSeconds} s`,
    `  limits: ${describeLimits(limits, request.task.spent)}`,
  ]
}
