import { Decimal } from '@hallpass/core'
import { NO_FACTS } from '../facts/facts-view.ts'
import { snapshot } from '../facts/snapshot.ts'
import type { Weekday } from '../rule/rule-request.ts'
import type { Ask } from './ask.ts'

const WEEKDAYS: readonly Weekday[] = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const DAY_SECONDS = 86_400

/** Not enumerable, so that a rule may still copy its request. */
const UNDECLARED = {
  enumerable: false,
  get(): never {
    throw new TypeError('a rule asked for the environment, and the policy declares none')
  },
}

/** What rules and facts looked at so far: a grant must not be wider than what they were asked about. */
export interface Looked {
  resource: boolean
  parameters: boolean
}

export interface View {
  /** The frozen object predicates get. */
  readonly r: object
  readonly looked: Looked
  /** Sets what `r.facts` answers until the next call. */
  showFacts(facts: object): void
}

/**
 * The request as rules see it. Members are listed one by one, so that nothing else of the broker's request, such as a
 * note, ever reaches a rule. Reading the resource or the parameters is noticed.
 */
export function viewOf(ask: Ask): View {
  const { request, agent, action, model } = ask
  const looked: Looked = { resource: false, parameters: false }
  let facts: object = NO_FACTS
  let identity: unknown
  let posture: unknown
  const { now, onBehalfOf } = request
  const r = {
    agent: agent.id,
    owner: agent.owner,
    purpose: request.purpose,
    action: action.name,
    risk: action.risk,
    riskScore: request.riskScore,
    now,
    get resource() {
      looked.resource = true
      return request.resource
    },
    get resourceParts() {
      looked.resource = true
      return ask.resourceParts
    },
    get parameters() {
      looked.parameters = true
      return ask.parameters
    },
    get facts() {
      return facts
    },
    get identity() {
      identity ??= snapshot(pickIdentity(ask), 'the identity')
      return identity
    },
    get onBehalfOf() {
      if (onBehalfOf === undefined) return undefined
      const { iss, sub, tenant } = onBehalfOf
      return Object.freeze(tenant === undefined ? { iss, sub } : { iss, sub, tenant })
    },
    get posture() {
      posture ??= request.posture === undefined ? undefined : snapshot(request.posture, 'the posture')
      return posture
    },
    get task() {
      return taskView(ask)
    },
    get hour() {
      return Math.floor((now % DAY_SECONDS) / 3600)
    },
    get weekday() {
      // Day zero of NumericDate was a Thursday.
      return WEEKDAYS[(Math.floor(now / DAY_SECONDS) + 4) % 7]
    },
  }
  const environment = model.environmentSet.size === 0 ? UNDECLARED : { value: request.environment, enumerable: true }
  Object.defineProperty(r, 'environment', environment)
  return { r: Object.freeze(r), looked, showFacts: (shown) => void (facts = shown) }
}

function pickIdentity({ request: { identity } }: Ask): object {
  const { kind, iss, sub, claims } = identity
  return { kind, iss, sub, claims }
}

function taskView({ request: { task }, model }: Ask): object {
  const { openedAt, deadline, refusals } = task
  return Object.freeze({
    openedAt,
    deadline,
    refusals,
    uses: (action: string): number => {
      if (!model.actions.has(action)) throw new TypeError('uses() was asked for an action the policy does not have')
      return own(task.uses, action)
    },
    spent: (action: string, parameter: string): Decimal => {
      const total = model.taskTotals.get(`${action} ${parameter}`)
      if (total === undefined)
        throw new TypeError('spent() was asked for a total that no rule sets for this action alone')
      return decimalOf(own(task.spent, total.id), total.scale)
    },
  })
}

const own = (counts: Readonly<Record<string, number>>, name: string): number =>
  Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0

/** Scaled units back to a decimal: 4200 at scale 2 is 42.00. */
export function decimalOf(units: number, scale: number): Decimal {
  const digits = String(units).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return Decimal.of(scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`)
}
