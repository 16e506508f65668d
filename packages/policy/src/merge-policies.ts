import { apisOf, canonicalize, HallpassError } from '@hallpass/core'
import type { Api, ApiSet, JsonValue } from '@hallpass/core'
import { createPolicy, modelOf } from './create-policy.ts'
import { ruleData } from './digest/policy-digest.ts'
import { list } from './definition/reader.ts'
import type { PolicyModel, PolicyParts } from './model.ts'
import type { Policy } from './policy.ts'
import type { Rule, RuleScope } from './rule/rule.ts'

type ApisOf<P> = P extends Policy<infer S> ? (S extends readonly Api[] ? S[number] : S extends Api ? S : never) : never
type PurposeOf<P> = P extends Policy<ApiSet, infer Purpose> ? Purpose : never
type AgentOf<P> = P extends Policy<ApiSet, string, infer Agent> ? Agent : never

/**
 * One policy out of several of the same version, whose digest covers them all.
 *
 * A rule that permits or asks for approval keeps to the agents, purposes and environments of the policy it comes from, so
 * that no policy permits what none of them permitted; a rule that denies reaches every agent. Throws `policy-invalid`
 * where versions differ, or where two policies say different things under one name.
 */
export function mergePolicies<const P extends readonly [Policy, ...Policy[]]>(
  ...policies: P
): Policy<readonly ApisOf<P[number]>[], PurposeOf<P[number]>, AgentOf<P[number]>> {
  const models = policies.map(readModel)
  const versions = new Set(models.map(({ version }) => version))
  const [version] = versions
  if (version === undefined) throw invalid('there is nothing to merge')
  if (versions.size > 1) throw invalid(`the versions ${list(versions)} differ; grants and revocations name one version`)
  const parts: PolicyParts = {
    version,
    api: Object.freeze(
      unite(
        'API',
        models.flatMap(({ api }) => apisOf(api)),
        { name: ({ audience }) => audience, isSame: Object.is },
      ),
    ),
    purposes: Object.freeze([...new Set(models.flatMap(({ purposes }) => purposes))]),
    environments: Object.freeze([...new Set(models.flatMap(({ environments }) => environments))]),
    agents: unite(
      'agent',
      models.flatMap(({ agents }) => agents),
      { name: ({ id }) => id, isSame: sameData },
    ),
    facts: mergeFacts(models),
    rules: Object.freeze(mergeRules(models)),
  }
  refuseSharedActions(apisOf(parts.api))
  return createPolicy(parts) as unknown as Policy<
    readonly ApisOf<P[number]>[],
    PurposeOf<P[number]>,
    AgentOf<P[number]>
  >
}

const invalid = (what: string): HallpassError =>
  new HallpassError('policy-invalid', `The policies cannot be merged: ${what}.`)

function readModel(policy: Policy): PolicyModel {
  const model = modelOf(policy)
  if (model === undefined) throw invalid('one of them was not made by definePolicy')
  return model
}

interface Naming<T> {
  readonly name: (item: T) => string
  readonly isSame: (one: T, other: T) => boolean
}

/** Items by name, each once; two different ones of one name are refused. */
function unite<T>(kind: string, items: readonly T[], { name, isSame }: Naming<T>): readonly T[] {
  const found = new Map<string, T>()
  for (const item of items) {
    const before = found.get(name(item))
    if (before !== undefined && !isSame(before, item))
      throw invalid(`they have different content for the ${kind} '${name(item)}'`)
    if (before === undefined) found.set(name(item), item)
  }
  return [...found.values()]
}

const text = (value: unknown): string => canonicalize(JSON.parse(JSON.stringify(value)) as JsonValue)
const sameData = (one: unknown, other: unknown): boolean => text(one) === text(other)

function mergeFacts(models: readonly PolicyModel[]): PolicyParts['facts'] {
  const facts = unite(
    'fact',
    models.flatMap((model) => [...model.facts.values()]),
    {
      name: ({ name }) => name,
      isSame: (one, other) => one.load === other.load && one.timeoutMs === other.timeoutMs,
    },
  )
  return new Map(facts.map((fact) => [fact.name, fact]))
}

/** Rules by id. One that several policies share is kept once for each scope it has there. */
function mergeRules(models: readonly PolicyModel[]): Rule[] {
  const byId = new Map<string, Rule>()
  const merged: Rule[] = []
  for (const model of models) {
    for (const rule of model.rules) {
      const original = originalOf(rule)
      const before = byId.get(rule.id) ?? original
      if (!isSameRule(before, original)) throw invalid(`they have different content for the rule '${rule.id}'`)
      byId.set(rule.id, before)
      const own: Rule = Object.freeze({ ...rule, scope: confined(rule, model), serial: merged.length })
      originals.set(own, original)
      if (!merged.some((other) => other.id === own.id && sameData(ruleData(other), ruleData(own)))) merged.push(own)
    }
  }
  return merged
}

/** What a merged rule was before, so that a policy may be merged again with one it came from. */
const originals = new WeakMap<Rule, Rule>()
const originalOf = (rule: Rule): Rule => originals.get(rule) ?? rule

/** Text of two functions may agree where what they close over differs, so a predicate has to be the same function. */
const isSameRule = (one: Rule, other: Rule): boolean =>
  one.when === other.when && sameData(ruleData(one), ruleData(other))

/** The scope of a rule that allows, kept to what it could reach in its own policy. */
function confined({ effect, scope }: Rule, { agentById, purposeSet, environmentSet }: PolicyModel): RuleScope {
  if (effect === 'deny') return scope
  return {
    agents: scope.agents ?? new Set(agentById.keys()),
    purposes: scope.purposes ?? purposeSet,
    ...(environmentSet.size === 0 ? {} : { environments: scope.environments ?? environmentSet }),
  }
}

function refuseSharedActions(apis: readonly Api[]): void {
  const names = apis.flatMap(({ actions }) => Object.keys(actions))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`two APIs have an action '${twice}'`)
}
