import { apisOf } from '@hallpass/core'
import type { Action, Api, ApiSet } from '@hallpass/core'
import { registerAgent } from './agent/register-agent.ts'
import { createPolicy } from './create-policy.ts'
import { callSite } from './decision/source-site.ts'
import type { NoFacts, PolicyInput, RuleWord } from './definition/policy-input.ts'
import { isName, isRecord, Problems } from './definition/reader.ts'
import type { Loose } from './definition/reader.ts'
import { compileFacts } from './facts/fact.ts'
import type { PolicyParts } from './model.ts'
import type { Policy } from './policy.ts'
import { compileRule } from './rule/compile-rule.ts'
import { isRisk, tiersWith } from './rule/tier.ts'

const MEMBERS = ['api', 'version', 'purposes', 'environments', 'agents', 'facts', 'rules', 'defaults']

/**
 * Defines a policy: who its agents are, and which rules permit, deny or ask a person. What no rule permits is denied.
 *
 * Checks and copies everything; throws `policy-invalid` with all it found where the policy does not hold together.
 * Does not check that predicates are right, or ever true: `policy.check()` looks at the data, `policyTest` at the rest.
 */
export function definePolicy<
  const S extends ApiSet,
  const Purpose extends string,
  const Agent extends string,
  Facts = NoFacts,
  const Environment extends string = never,
  const T extends readonly RuleWord<S, Facts>[] = readonly RuleWord<S, Facts>[],
>(input: PolicyInput<S, Purpose, Agent, Environment, Facts, T>): Policy<S, Purpose, Agent> {
  const site = callSite(definePolicy)
  return createPolicy(compile(input, site)) as unknown as Policy<S, Purpose, Agent>
}

function compile(input: unknown, site: string | undefined): PolicyParts {
  const problems = new Problems()
  if (!isRecord(input)) {
    problems.add('policy', 'has to be an object')
    problems.throwIfAny()
    return compile({}, site)
  }
  problems.closed(input, 'policy', MEMBERS)
  const { version } = input
  if (!isName(version)) problems.add('version', 'has to be a name, such as a date or a number')
  const api = checkApi(input['api'], problems)
  const purposes = problems.names(input['purposes'], 'purposes') ?? []
  const environments =
    input['environments'] === undefined ? [] : (problems.names(input['environments'], 'environments') ?? [])
  const facts = compileFacts(input['facts'], problems)
  refuseSharedWords(facts.keys(), actionsOf(api), problems)
  const agents = registerAgents(input['agents'], { purposes: new Set(purposes), problems })
  // What is wrong so far would be reported again by every rule that names it.
  problems.throwIfAny()
  const rules = compileRules(input, {
    actions: actionsOf(api),
    agents: new Set(agents.map(({ id }) => id)),
    purposes: new Set(purposes),
    environments: new Set(environments),
    facts: new Set(facts.keys()),
    tiers: tiersWith(input['defaults'], problems),
    site,
    problems,
  })
  problems.throwIfAny()
  return { version: String(version), api, purposes, environments, agents, facts, rules }
}

function checkApi(value: unknown, problems: Problems): ApiSet {
  const apis: readonly unknown[] = Array.isArray(value) ? value : [value]
  const fits = (api: unknown): api is Api =>
    isRecord(api) && typeof api['audience'] === 'string' && isRecord(api['actions'])
  if (apis.length === 0 || !apis.every(fits)) {
    problems.add('api', 'has to be what defineApi gave, one or a list')
    return []
  }
  const audiences = apis.map(({ audience }) => audience)
  if (new Set(audiences).size !== audiences.length) problems.add('api', 'names one audience twice')
  const names = apis.flatMap(({ actions }) => Object.keys(actions))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) problems.add('api', `two APIs have an action '${twice}'; rename one`)
  return Array.isArray(value) ? Object.freeze([...apis]) : (value as Api)
}

/** Types tell a rule's actions, facts and risk apart by their words alone. */
function refuseSharedWords(facts: Iterable<string>, actions: ReadonlyMap<string, Action>, problems: Problems): void {
  for (const name of facts) {
    if (isRisk(name) || actions.has(name))
      problems.add(`fact '${name}'`, 'has the name of an action or a risk; rename it')
  }
}

const actionsOf = (api: ApiSet): ReadonlyMap<string, Action> =>
  new Map(
    apisOf(api)
      .flatMap(({ actions }) => Object.values(actions))
      .map((action) => [action.name, action]),
  )

function registerAgents(value: unknown, context: Parameters<typeof registerAgent>[2]): PolicyParts['agents'] {
  if (!isRecord(value) || Object.keys(value).length === 0) {
    context.problems.add('agents', 'has to name at least one agent')
    return []
  }
  return Object.entries(value).flatMap(([id, agent]) => registerAgent(id, agent, context) ?? [])
}

function compileRules(input: Loose, context: Parameters<typeof compileRule>[2]): PolicyParts['rules'] {
  const { rules } = input
  if (!Array.isArray(rules)) {
    context.problems.add('rules', 'has to be a list')
    return []
  }
  const compiled = (rules as readonly unknown[]).flatMap((rule, index) => compileRule(rule, index, context) ?? [])
  const ids = compiled.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) context.problems.add(`rule '${twice}'`, 'two rules have this id')
  return Object.freeze(compiled)
}
