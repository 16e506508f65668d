import { decimalSpec, sha256Base64url, toUnits } from '@hallpass/core'
import type { Action, Limit } from '@hallpass/core'
import { isCount, isRecord } from '../definition/reader.ts'
import type { Loose, Problems } from '../definition/reader.ts'

const MEMBERS = ['ttlSeconds', 'calls', 'totals', 'task', 'agent']
const MAX_LIMITS = 15
const MAX_LISTED = 160

interface Counter {
  readonly where: string
  readonly per: 'task' | 'agent'
  readonly windowSeconds?: number
}

/**
 * The counters of a rule beside the uses of the grant itself, per task and per agent. They are the same for each of its
 * actions, so that what one action spends the others have less of.
 *
 * An id names everything two grants have to agree on to share a counter: actions, parameter, scale, unit, window. It does
 * not name the rule, so that rules about the same actions share one counter and the strictest cap holds.
 */
export class LimitCompiler {
  readonly #actions: readonly Action[]
  readonly #problems: Problems
  readonly #found = new Map<string, Limit>()

  constructor(actions: readonly Action[], problems: Problems) {
    this.#actions = actions
    this.#problems = problems
  }

  compile(limits: Loose, where: string): readonly Limit[] {
    this.#problems.closed(limits, where, MEMBERS)
    this.#totals(limits['totals'], { where: `${where}.totals`, per: 'task' })
    this.#counters(limits['task'], ['calls', 'totals'], { where: `${where}.task`, per: 'task' })
    const { agent } = limits
    if (agent !== undefined) {
      const windowSeconds = isRecord(agent) ? agent['windowSeconds'] : undefined
      const counter: Counter = { where: `${where}.agent`, per: 'agent' }
      if (isCount(windowSeconds)) {
        this.#counters(agent, ['calls', 'totals', 'windowSeconds'], { ...counter, windowSeconds })
      } else this.#problems.add(counter.where, "'windowSeconds' has to be a positive whole number")
    }
    if (this.#found.size > MAX_LIMITS) this.#problems.add(where, `has more than ${MAX_LIMITS} counters`)
    return [...this.#found.values()]
  }

  #counters(value: unknown, members: readonly string[], counter: Counter): void {
    if (value === undefined) return
    if (!isRecord(value)) {
      this.#problems.add(counter.where, 'has to be an object')
      return
    }
    this.#problems.closed(value, counter.where, members)
    const { calls } = value
    if (calls === undefined && value['totals'] === undefined)
      this.#problems.add(counter.where, 'names neither calls nor totals')
    if (calls !== undefined && !isCount(calls))
      this.#problems.add(counter.where, "'calls' has to be a positive whole number")
    if (isCount(calls)) this.#add({ id: `calls:${this.#names()}`, max: calls }, counter)
    this.#totals(value['totals'], { ...counter, where: `${counter.where}.totals` })
  }

  #totals(value: unknown, counter: Counter): void {
    if (value === undefined) return
    if (!isRecord(value) || Object.keys(value).length === 0) {
      this.#problems.add(counter.where, "has to name at least one decimal parameter, such as { amount: '200.00' }")
      return
    }
    for (const [parameter, cap] of Object.entries(value)) this.#total(parameter, cap, counter)
  }

  #total(parameter: string, cap: unknown, counter: Counter): void {
    const { where } = counter
    const spec = this.#spec(parameter, where)
    if (spec === undefined) return
    const units = typeof cap === 'string' ? toUnits(cap, spec.scale) : undefined
    if (units === undefined || !units.ok || units.value === 0) {
      const digits = spec.scale === 0 ? 'no' : `at most ${spec.scale}`
      this.#problems.add(
        where,
        `'${parameter}' has to be a plain decimal text above zero with ${digits} fraction digits, up to 2^53 - 1 units`,
      )
      return
    }
    const unit = spec.unit === undefined ? '' : `:${spec.unit}`
    const id = `total:${this.#names()}:${parameter}:${spec.scale}${unit}`
    this.#add({ id, max: units.value, parameter, ...spec }, counter)
  }

  /** Scale and unit of a parameter, the same in every action of the rule. */
  #spec(parameter: string, where: string): { readonly scale: number; readonly unit?: string } | undefined {
    const specs = this.#actions.map(({ parameters: { shape } }) =>
      Object.hasOwn(shape, parameter) ? decimalSpec(shape[parameter]) : undefined,
    )
    const missing = this.#actions[specs.indexOf(undefined)]
    if (missing !== undefined) {
      this.#problems.add(where, `'${parameter}' is not a decimal() parameter of '${missing.name}'`)
      return undefined
    }
    const [first, ...rest] = specs
    if (first !== undefined && rest.every((spec) => spec?.scale === first.scale && spec.unit === first.unit))
      return first
    this.#problems.add(where, `'${parameter}' has another scale or unit in one of the rule's actions`)
    return undefined
  }

  #add(limit: Omit<Limit, 'per'>, { where, per, windowSeconds }: Counter): void {
    const named: Limit =
      windowSeconds === undefined
        ? { ...limit, per }
        : { ...limit, id: `${limit.id}:${windowSeconds}s`, per, window_seconds: windowSeconds }
    const key = `${per} ${named.id}`
    if (this.#found.has(key)) this.#problems.add(where, 'sets one limit twice')
    this.#found.set(key, Object.freeze(named))
  }

  #names(): string {
    const names = this.#actions.map((action) => action.name)
    const all = names.join('+')
    if (all.length <= MAX_LISTED) return all
    return `${names[0] ?? ''}+${names.length - 1}~${sha256Base64url(all).slice(0, 12)}`
  }
}
