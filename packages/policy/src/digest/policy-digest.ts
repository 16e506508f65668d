import { canonicalize, sha256Base64url } from '@hallpass/core'
import type { Action, JsonValue } from '@hallpass/core'
import type { PolicyModel } from '../model.ts'
import type { Rule } from '../rule/rule.ts'
import { sourceText } from './source-text.ts'

/**
 * `sha-256:` and the SHA-256 over the canonical JSON of a policy: its data, and the source text of its predicates and
 * loaders. What those functions close over or import is not covered, nor are transforms inside parameter schemas.
 */
export function policyDigest({ version, apis, purposes, environments, agents, facts, rules }: PolicyModel): string {
  const material = {
    version,
    apis: apis
      .map(({ audience, actions }) => ({ audience, actions: Object.values(actions).map(actionData) }))
      .toSorted(byText),
    purposes: purposes.toSorted(),
    environments: environments.toSorted(),
    agents: agents.map((agent) => ({ ...agent, purposes: agent.purposes.toSorted() })).toSorted(byId),
    facts: [...facts.values()]
      .map(({ name, timeoutMs, load }) => ({ name, timeoutMs, load: sourceText(load) }))
      .toSorted(byText),
    rules: rules.map(ruleData).toSorted(byText),
  }
  return `sha-256:${sha256Base64url(canonicalize(asData(material)))}`
}

export function ruleData({ when, scope, allowances, site: _site, serial: _serial, ...data }: Rule): object {
  return {
    ...data,
    agents: sorted(scope.agents),
    purposes: sorted(scope.purposes),
    environments: sorted(scope.environments),
    allowances: [...allowances].map(([action, allowance]) => ({ action, ...allowance })),
    when: sourceText(when),
  }
}

function actionData({ name, audience, resource, risk, method, path, parameters }: Action): object {
  return { name, audience, resource, risk, method, path, parameters: schemaData(parameters) }
}

/** The schema as JSON Schema; where that cannot be written, the names of the parameters. */
function schemaData(schema: Action['parameters']): unknown {
  try {
    return schema.toJSONSchema({ io: 'input', unrepresentable: 'any' })
  } catch {
    return Object.keys(schema.shape)
  }
}

const sorted = (names: ReadonlySet<string> | undefined): readonly string[] | undefined =>
  names === undefined ? undefined : [...names].toSorted()

/** Plain JSON: absent members dropped. */
const asData = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue

const byId = (one: { readonly id: string }, other: { readonly id: string }): number => (one.id < other.id ? -1 : 1)
const byText = (one: object, other: object): number =>
  canonicalize(asData(one)) < canonicalize(asData(other)) ? -1 : 1
