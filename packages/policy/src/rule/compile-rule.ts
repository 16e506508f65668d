import { matchResource } from '@hallpass/core'
import type { Action } from '@hallpass/core'
import { isName, isRecord, list } from '../definition/reader.ts'
import type { Loose, Problems } from '../definition/reader.ts'
import { isOpaque } from '../digest/source-text.ts'
import { compileGrant } from './compile-grant.ts'
import { LimitCompiler } from './compile-limits.ts'
import type { Effect, Rule, RuleAllowance, RuleScope } from './rule.ts'
import { checkCalls, checkTtl, isRisk } from './tier.ts'
import type { Tiers } from './tier.ts'

export interface RuleContext {
  readonly actions: ReadonlyMap<string, Action>
  readonly agents: ReadonlySet<string>
  readonly purposes: ReadonlySet<string>
  readonly environments: ReadonlySet<string>
  readonly facts: ReadonlySet<string>
  readonly tiers: Tiers
  readonly site: string | undefined
  readonly problems: Problems
}

const SELECTORS = ['action', 'actions', 'risk']
const SCOPES = ['agents', 'purposes', 'environments', 'resources', 'needs', 'when']
const ALLOWING = ['limits', 'grant']
const MEMBERS = ['id', 'effect', ...SELECTORS, ...SCOPES, ...ALLOWING, 'approvers', 'description']

/** Members that mean nothing for an effect, and so are refused there. */
const FOREIGN: Readonly<Record<Effect, readonly string[]>> = {
  permit: ['approvers'],
  deny: ['approvers', ...ALLOWING],
  approve: ['grant'],
}

const isEffect = (value: unknown): value is Effect => typeof value === 'string' && Object.hasOwn(FOREIGN, value)

/** Checks one rule by hand, member by member, and compiles it. Undefined, with the problems reported, where it has no shape. */
export function compileRule(input: unknown, index: number, context: RuleContext): Rule | undefined {
  const { problems } = context
  if (!isRecord(input) || !isName(input['id'])) {
    problems.add(`rules[${index}]`, 'needs an id')
    return undefined
  }
  const { id, effect, description, when } = input
  const where = `rule '${id}'`
  problems.closed(input, where, MEMBERS)
  if (!isEffect(effect)) {
    problems.add(where, "'effect' has to be permit, deny or approve")
    return undefined
  }
  for (const name of FOREIGN[effect]) {
    if (input[name] !== undefined)
      problems.add(where, `'${name}' means nothing in a rule that ${effect === 'deny' ? 'denies' : `${effect}s`}`)
  }
  if (when !== undefined && typeof when !== 'function') problems.add(where, "'when' has to be a function")
  if (isOpaque(when))
    problems.add(where, "'when' is bound or native: its source text, which the digest covers, cannot be read")
  if (description !== undefined && typeof description !== 'string') problems.add(where, "'description' has to be text")
  const actions = selectActions(input, effect, { ...context, where })
  if (actions.length === 0) return undefined
  const resources =
    input['resources'] === undefined ? undefined : problems.names(input['resources'], `${where} resources`)
  checkResources(resources ?? [], actions, { where: `${where} resources`, problems })
  const needs = chosen(input, 'needs', { ...context, where })
  const approvers =
    input['approvers'] === undefined ? undefined : problems.names(input['approvers'], `${where} approvers`)
  return Object.freeze({
    id,
    serial: index,
    effect,
    actions: Object.freeze(actions.map((action) => action.name)),
    scope: scopeOf(input, { ...context, where }),
    ...(resources === undefined ? {} : { resources }),
    needs: needs ?? [],
    ...(typeof when === 'function' ? { when: when as (r: unknown) => unknown } : {}),
    ...(approvers === undefined ? {} : { approvers }),
    allowances: effect === 'deny' ? new Map() : allowancesOf(input, actions, { ...context, where }),
    ...(typeof description === 'string' ? { description } : {}),
    ...(context.site === undefined ? {} : { site: context.site }),
  })
}

type Where = RuleContext & { readonly where: string }

function selectActions(input: Loose, effect: Effect, { actions, where, problems }: Where): readonly Action[] {
  const given = SELECTORS.filter((name) => input[name] !== undefined)
  if (given.length !== 1) {
    problems.add(where, `needs exactly one of ${list(SELECTORS)}`)
    return []
  }
  const { risk } = input
  if (risk !== undefined) {
    if (!isRisk(risk)) problems.add(where, "'risk' has to be read, write or critical")
    if (risk === 'critical' && effect !== 'deny') problems.add(where, 'has to name critical actions one by one')
    const found = [...actions.values()].filter((action) => action.risk === risk)
    if (isRisk(risk) && found.length === 0) problems.add(where, `no action has the risk ${risk}`)
    return found.toSorted(byName)
  }
  const value = input['action'] === undefined ? input['actions'] : [input['action']]
  const names = problems.chosen(value, `${where} ${given[0] ?? ''}`, new Set(actions.keys())) ?? []
  return names.flatMap((name) => actions.get(name) ?? []).toSorted(byName)
}

const byName = (one: Action, other: Action): number => (one.name < other.name ? -1 : 1)

function checkResources(
  resources: readonly string[],
  actions: readonly Action[],
  { where, problems }: { readonly where: string; readonly problems: Problems },
): void {
  for (const resource of resources) {
    const isClass = resource.endsWith(':*')
    const fits = actions.some(({ kind }) => (isClass ? resource === `${kind}:*` : matchResource(`${kind}:*`, resource)))
    if (!fits) problems.add(where, `'${resource}' is of no kind that the rule's actions have`)
  }
}

function chosen(input: Loose, name: string, context: Where): readonly string[] | undefined {
  const value = input[name]
  if (value === undefined || (name === 'needs' && Array.isArray(value) && value.length === 0)) return undefined
  const known = {
    agents: context.agents,
    purposes: context.purposes,
    environments: context.environments,
    needs: context.facts,
  }[name]
  return context.problems.chosen(value, `${context.where} ${name}`, known ?? new Set())
}

function scopeOf(input: Loose, context: Where): RuleScope {
  const agents = chosen(input, 'agents', context)
  const purposes = chosen(input, 'purposes', context)
  const environments = chosen(input, 'environments', context)
  return {
    ...(agents === undefined ? {} : { agents: new Set(agents) }),
    ...(purposes === undefined ? {} : { purposes: new Set(purposes) }),
    ...(environments === undefined ? {} : { environments: new Set(environments) }),
  }
}

function allowancesOf(input: Loose, actions: readonly Action[], context: Where): ReadonlyMap<string, RuleAllowance> {
  const { problems, tiers } = context
  const { limits = {} } = input
  const where = `${context.where} limits`
  if (!isRecord(limits)) {
    problems.add(where, 'has to be an object')
    return new Map()
  }
  const counters = new LimitCompiler(actions, problems).compile(limits, where)
  return new Map(
    actions.map((action) => {
      const tier = tiers[action.risk]
      const { ttlSeconds, calls } = limits
      const max = calls === undefined ? tier.calls : checkCalls(calls, { tier, where, problems })
      const allowance: RuleAllowance = {
        ttlSeconds: ttlSeconds === undefined ? tier.ttlSeconds : checkTtl(ttlSeconds, { tier, where, problems }),
        limits: Object.freeze([Object.freeze({ id: 'calls', per: 'grant', max } as const), ...counters]),
        ...compileGrant(input['grant'], { action, tier, where: `${context.where} grant`, problems }),
      }
      return [action.name, Object.freeze(allowance)]
    }),
  )
}
