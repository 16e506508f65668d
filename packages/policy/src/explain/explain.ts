import { isPromise } from '@hallpass/core'
import type { JsonObject, MaybePromise } from '@hallpass/core'
import type { Decision } from '../decision/decision.ts'
import { evaluate } from '../decision/evaluate.ts'
import type { Note, Outcome } from '../decision/evaluate.ts'
import type { PolicyModel } from '../model.ts'
import { readAsk } from '../request/read-ask.ts'
import type { DecisionOptions, DecisionRequest } from '../request/decision-request.ts'
import type { Rule } from '../rule/rule.ts'
import { describeLimits } from './describe-limits.ts'
import type { Explanation, RuleTrace } from './explanation.ts'

/** Decides once more, this time taking notes. Names parameters and resources, never parameter or fact values. */
export function explain(model: PolicyModel, request: DecisionRequest, options: DecisionOptions = {}): MaybePromise<Explanation> {
  const ask = readAsk(model, request)
  if (!ask.ok) {
    const { reason, detail } = ask
    return describe(request, { effect: 'deny', reason, ...(detail === undefined ? {} : { detail }) }, [])
  }
  const noted = new Map<Rule, Outcome>()
  const note: Note = (rule, outcome) => void noted.set(rule, outcome)
  const decision = evaluate({ ask: ask.value, given: options.facts ?? {}, note })
  const finish = (made: Decision): Explanation => {
    const rules = model.rulesByAction.get(request.action) ?? []
    return describe(request, made, rules.flatMap((rule) => trace(rule, noted.get(rule), request)))
  }
  return isPromise(decision) ? decision.then(finish) : finish(decision)
}

function trace(rule: Rule, outcome: Outcome | undefined, request: DecisionRequest): RuleTrace | [] {
  if (outcome === undefined) return []
  const base = { rule: rule.id, effect: rule.effect }
  if (typeof outcome === 'object') {
    const found: RuleTrace = { ...base, outcome: 'failed', why: `${outcome.detail}${outcome.at === undefined ? '' : `, at ${outcome.at}`}` }
    return Object.defineProperty(found, 'cause', { value: outcome.cause, enumerable: false })
  }
  if (outcome === 'matched') return { ...base, outcome: 'matched', why: rule.when === undefined ? 'it has no predicate' : 'when answered true' }
  return { ...base, outcome: 'not-matched', why: whyNot(rule, outcome, request) }
}

function whyNot({ scope, resources = [], allowances }: Rule, outcome: Exclude<Outcome, object | 'matched'>, request: DecisionRequest): string {
  switch (outcome) {
    case 'agents':
      return `agent '${request.agent}' is not one of ${names(scope.agents)}`
    case 'purposes':
      return `purpose '${request.purpose}' is not one of ${names(scope.purposes)}`
    case 'environments':
      return `environment '${request.environment ?? ''}' is not one of ${names(scope.environments)}`
    case 'resources':
      return `resource '${request.resource}' is not one of ${resources.join(', ')}`
    case 'constraints':
      return `the parameters are outside the rule's constraints on ${constrained(allowances.get(request.action)?.constraints)}`
    case 'when':
      return 'when answered false'
  }
}

const names = (set: ReadonlySet<string> | undefined): string => [...(set ?? [])].join(', ')
const constrained = (constraints: object | undefined): string => Object.keys(constraints ?? {}).join(', ') || 'no parameter at all'

function describe(request: DecisionRequest, decision: Decision, rules: readonly RuleTrace[]): Explanation {
  const asked = `${request.agent} asked ${request.action} on ${request.resource} for ${request.purpose}${namesOf(request.parameters)}`
  const traces = rules.map(({ rule, effect, outcome, why }) => `  ${outcome.padEnd(11)} ${rule} (${effect}): ${why}`)
  const considered = traces.length === 0 ? ['  no rule names this action, or none was asked'] : traces
  const text = [headline(decision), `  ${asked}`, ...considered, ...consequence(decision, request)].join('\n')
  return Object.freeze({ decision, rules: Object.freeze([...rules]), text })
}

const namesOf = (parameters: JsonObject): string => {
  const given = Object.keys(parameters ?? {})
  return given.length === 0 ? '' : `, with ${given.join(', ')}`
}

function headline(decision: Decision): string {
  switch (decision.effect) {
    case 'permit':
      return `PERMIT by ${decision.rules.join(', ')}`
    case 'approve':
      return `APPROVAL REQUIRED by ${decision.rule}, from ${decision.approvers.join(' or ')}`
    case 'deny': {
      const { reason, rule, at, detail } = decision
      return `DENY ${reason}${rule === undefined ? '' : ` by ${rule}`}${at === undefined ? '' : ` at ${at}`}${detail === undefined ? '' : `: ${detail}`}`
    }
  }
}

function consequence(decision: Decision, request: DecisionRequest): readonly string[] {
  if (decision.effect === 'deny') return []
  const { identifier, constraints, ttlSeconds, limits } = decision
  const parameters = constraints === undefined ? 'exactly these parameters' : `parameters within constraints on ${constrained(constraints)}`
  return [`  grant: ${identifier}, ${parameters}, ${ttlSeconds} s`, `  limits: ${describeLimits(limits, request.task.spent)}`]
}
