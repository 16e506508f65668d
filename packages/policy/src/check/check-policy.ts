import type { PolicyModel } from '../model.ts'
import type { Rule } from '../rule/rule.ts'
import type { Finding } from './finding.ts'

/**
 * What is odd about a policy that holds together. Looks at data only: it cannot tell whether a predicate is ever true.
 */
export function checkPolicy(model: PolicyModel): readonly Finding[] {
  return Object.freeze([
    ...deadRules(model),
    ...idleAgents(model),
    ...bareActions(model),
    ...unusedPurposes(model),
    ...sharedIdentities(model),
  ])
}

type Pair = readonly [agent: string, purpose: string]

/** Every agent with every purpose it works for. */
const pairsOf = ({ agents }: PolicyModel): readonly Pair[] =>
  agents.flatMap(({ id, purposes }) => purposes.map((purpose): Pair => [id, purpose]))

const covers = ({ scope }: Rule, [agent, purpose]: Pair): boolean =>
  (scope.agents?.has(agent) ?? true) && (scope.purposes?.has(purpose) ?? true)

const allows = ({ effect }: Rule): boolean => effect !== 'deny'

function deadRules(model: PolicyModel): readonly Finding[] {
  const pairs = pairsOf(model)
  return model.rules.flatMap((rule): readonly Finding[] => {
    const reached = pairs.filter((pair) => covers(rule, pair))
    if (reached.length === 0) {
      return [
        finding(
          'rule-never-matches',
          rule.id,
          `rule '${rule.id}' can never match: none of its agents works for any of its purposes`,
        ),
      ]
    }
    const shadow = allows(rule) ? model.rules.find((other) => overrides(other, rule, reached)) : undefined
    if (shadow === undefined) return []
    return [
      finding(
        'rule-never-matches',
        rule.id,
        `rule '${rule.id}' never counts: '${shadow.id}' denies everything it allows`,
      ),
    ]
  })
}

/** Whether a deny without conditions takes in all that another rule reaches. */
function overrides(deny: Rule, rule: Rule, reached: readonly Pair[]): boolean {
  if (deny.effect !== 'deny' || deny.when !== undefined) return false
  if (!rule.actions.every((action) => deny.actions.includes(action))) return false
  if (!reached.every((pair) => covers(deny, pair))) return false
  const places = deny.scope.environments
  if (places !== undefined && ![...(rule.scope.environments ?? [''])].every((place) => places.has(place))) return false
  const { resources } = deny
  return resources === undefined || rule.resources?.every((resource) => resources.includes(resource)) === true
}

function idleAgents(model: PolicyModel): readonly Finding[] {
  const pairs = pairsOf(model)
  const rules = model.rules.filter(allows)
  return model.agents
    .filter(({ id }) => !pairs.some((pair) => pair[0] === id && rules.some((rule) => covers(rule, pair))))
    .map(({ id }) => finding('agent-without-permit', id, `agent '${id}' is permitted nothing`))
}

function bareActions(model: PolicyModel): readonly Finding[] {
  return [...model.rulesByAction]
    .filter(([, rules]) => !rules.some(allows))
    .map(([name]) => finding('action-without-rule', name, `no rule permits '${name}' to anyone`))
}

function unusedPurposes(model: PolicyModel): readonly Finding[] {
  const pairs = pairsOf(model)
  const rules = model.rules.filter(allows)
  return model.purposes
    .filter((purpose) => !pairs.some((pair) => pair[1] === purpose && rules.some((rule) => covers(rule, pair))))
    .map((purpose) => finding('purpose-unused', purpose, `purpose '${purpose}' permits nothing to anyone`))
}

/** Two agents behind one identity: the workload may act as either. */
function sharedIdentities({ agents }: PolicyModel): readonly Finding[] {
  const byPin = new Map<string, readonly string[]>()
  for (const { id, identity } of agents) {
    const pin =
      identity.kind === 'spiffe'
        ? identity.id
        : `${identity.kind === 'oidc' ? identity.issuer : ''} ${identity.subject}`
    byPin.set(pin, [...(byPin.get(pin) ?? []), id])
  }
  return [...byPin.values()]
    .filter((ids) => ids.length > 1)
    .map((ids) =>
      finding(
        'identity-shared',
        ids[0] ?? '',
        `agents ${ids.join(' and ')} have one identity: its workload may act as each of them`,
      ),
    )
}

const finding = (kind: Finding['kind'], name: string, message: string): Finding =>
  Object.freeze({ kind, name, message })
