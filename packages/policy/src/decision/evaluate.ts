import { isPromise } from '@hallpass/core'
import type { MaybePromise } from '@hallpass/core'
import { factsView } from '../facts/facts-view.ts'
import { loadFacts } from '../facts/load-facts.ts'
import type { LoadedFacts } from '../facts/load-facts.ts'
import type { Ask } from '../request/ask.ts'
import { RequestView } from '../request/request-view.ts'
import type { Rule } from '../rule/rule.ts'
import { fitsConstraints } from '../grant/fits-constraints.ts'
import { callPredicate, failure } from './call-predicate.ts'
import type { Failure } from './call-predicate.ts'
import { combine } from './combine.ts'
import type { Decision, Deny } from './decision.ts'
import { namesResources, standsAside } from './stands-aside.ts'
import type { Aside } from './stands-aside.ts'
import { sumAllowances } from './sum-allowances.ts'

/** What became of one rule; collected for explanations only. */
export type Outcome = 'matched' | Aside | 'when' | 'constraints' | Failure
export type Note = (rule: Rule, outcome: Outcome) => void

export interface Evaluation {
  readonly ask: Ask
  readonly given: Readonly<Record<string, unknown>>
  readonly note?: Note
}

/** Asks every rule that is about this request, never only the first that matches, and combines the answers. */
export function evaluate({ ask, given, note }: Evaluation): MaybePromise<Decision> {
  const view = new RequestView(ask, ask.model.wideActions.has(ask.action.name))
  const candidates: Rule[] = []
  let needs: string[] | undefined
  for (const rule of ask.model.rulesByAction.get(ask.action.name) ?? []) {
    const aside = standsAside(rule, ask)
    if (aside === undefined || aside === 'resources') view.looked.resource ||= namesResources(rule)
    if (aside !== undefined) {
      note?.(rule, aside)
      continue
    }
    candidates.push(rule)
    if (rule.needs.length > 0) (needs ??= []).push(...rule.needs)
  }
  const asked: Asked = { ask, view, candidates, note }
  if (needs === undefined) return conclude(asked, undefined)
  const facts = loadFacts([...new Set(needs)], ask, given)
  return isPromise(facts) ? facts.then((loaded) => conclude(asked, loaded)) : conclude(asked, facts)
}

interface Asked {
  readonly ask: Ask
  readonly view: RequestView
  readonly candidates: readonly Rule[]
  readonly note: Note | undefined
}

function conclude(asked: Asked, facts: LoadedFacts | undefined): Decision {
  const decision = decide(asked, facts)
  return facts === undefined ? decision : { ...decision, facts: facts.digest }
}

function decide({ ask, view, candidates, note }: Asked, facts: LoadedFacts | undefined): Decision {
  const question: Question = { ask, view, facts }
  const matched: Rule[] = []
  // Rules come sorted by id, so the first of several is the same however they were written.
  let denied: Rule | undefined
  let failed: Deny | undefined
  for (const rule of candidates) {
    const outcome = askRule(rule, question)
    note?.(rule, outcome)
    if (typeof outcome === 'object') failed ??= failedBy(rule, outcome)
    else if (outcome !== 'matched') continue
    else if (rule.effect === 'deny') denied ??= rule
    else matched.push(rule)
  }
  if (failed !== undefined) return failed
  if (denied !== undefined) return deniedBy(denied)
  if (matched.length === 0) return { effect: 'deny', reason: 'no-rule-matched' }
  return combine(ask, sumAllowances(ask.model, ask.action.name, matched), view.looked)
}

const failedBy = ({ id }: Rule, { detail, at }: Failure): Deny =>
  at === undefined
    ? { effect: 'deny', reason: 'policy-failed', rule: id, detail }
    : { effect: 'deny', reason: 'policy-failed', rule: id, at, detail }

const deniedBy = ({ id, description }: Rule): Deny =>
  description === undefined
    ? { effect: 'deny', reason: 'policy-denied', rule: id }
    : { effect: 'deny', reason: 'policy-denied', rule: id, detail: description }

interface Question {
  readonly ask: Ask
  readonly view: RequestView
  readonly facts: LoadedFacts | undefined
}

function askRule(rule: Rule, question: Question): Exclude<Outcome, Aside> {
  const { ask, view, facts } = question
  const missing = facts?.failed.find(({ name }) => rule.needs.includes(name))
  if (missing !== undefined) return failure(missing.detail, rule.site, missing.cause)
  const constraints = rule.allowances.get(ask.action.name)?.constraints
  if (constraints !== undefined && !fitsConstraints(constraints, ask)) {
    // For other parameters this rule would have had a say, so the grant must not reach them.
    view.looked.parameters = true
    return 'constraints'
  }
  if (rule.when === undefined && rule.needs.length === 0) return 'matched'
  const answer = callPredicate(rule, rule.needs.length === 0 ? view.plain : view.withFacts(factsOf(rule, question)))
  if (typeof answer !== 'boolean') return answer
  return answer ? 'matched' : 'when'
}

/** A rule that goes by a fact that was loaded for this resource goes by the resource. */
function factsOf(rule: Rule, { view, facts }: Question): object {
  const values: Record<string, unknown> = {}
  for (const name of rule.needs) {
    const fact = facts?.byName.get(name)
    if (fact === undefined) continue
    values[name] = fact.value
    view.looked.resource ||= fact.looked.resource
    view.looked.parameters ||= fact.looked.parameters
  }
  return factsView(Object.freeze(values))
}
