import type { Risk } from '@hallpass/core'
import { NO_FACTS } from '../facts/facts-view.ts'
import { snapshot } from '../facts/snapshot.ts'
import type { Weekday } from '../rule/rule-request.ts'
import type { Ask } from './ask.ts'
import { TaskView } from './task-view.ts'

const WEEKDAYS: readonly Weekday[] = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const NO_CLAIMS = Object.freeze({})
const DAY_SECONDS = 86_400

/**
 * The request as rules see it. Members are copied one by one, so that nothing else of the broker's request, such as a
 * note, ever reaches a rule. They are the object's own, so that a rule may copy its request and miss nothing.
 */
class Seen {
  readonly agent: string
  readonly owner: string
  readonly identity: object
  readonly onBehalfOf: object | undefined
  readonly purpose: string
  readonly action: string
  readonly risk: Risk
  readonly riskScore: number | undefined
  readonly resource: string
  readonly resourceParts: object
  readonly parameters: unknown
  readonly facts: object
  readonly posture: unknown
  readonly task: TaskView
  readonly now: number
  readonly hour: number
  readonly weekday: Weekday

  constructor({ ask, facts, identity, posture, onBehalfOf, task }: Source) {
    const { request, agent, action } = ask
    this.agent = agent.id
    this.owner = agent.owner
    this.identity = identity
    this.onBehalfOf = onBehalfOf
    this.purpose = request.purpose
    this.action = action.name
    this.risk = action.risk
    this.riskScore = request.riskScore
    this.resource = request.resource
    this.resourceParts = ask.resourceParts
    this.parameters = ask.parameters
    this.facts = facts
    this.posture = posture
    this.task = task
    this.now = request.now
    this.hour = Math.floor((request.now % DAY_SECONDS) / 3600)
    // Day zero of NumericDate was a Thursday.
    this.weekday = WEEKDAYS[(Math.floor(request.now / DAY_SECONDS) + 4) % 7] ?? 'sunday'
  }
}

/** Where the policy declares environments, the request names one of them. */
class SeenSomewhere extends Seen {
  readonly environment: string | undefined

  constructor(source: Source) {
    super(source)
    this.environment = source.ask.request.environment
  }
}

/** Where it declares none, going by one would be a slip: a deny that is never true. */
class SeenAnywhere extends Seen {
  get environment(): never {
    throw new TypeError('a rule asked for the environment, and the policy declares none')
  }
}

interface Source {
  readonly ask: Ask
  readonly facts: object
  readonly identity: object
  readonly posture: unknown
  readonly onBehalfOf: object | undefined
  readonly task: TaskView
}

/** What rules and facts looked at so far: a grant must not be wider than what they were asked about. */
export interface Looked {
  resource: boolean
  parameters: boolean
}

/** One request, ready to be shown to rule after rule. */
export class RequestView {
  readonly looked: Looked = { resource: false, parameters: false }
  readonly #ask: Ask
  readonly #claims: unknown
  readonly #posture: unknown
  readonly #user: object | undefined
  readonly #isWatched: boolean
  #source: Source | undefined
  #plain: object | undefined

  /** `isWatched`: whether it matters what rules look at, which costs a little. */
  constructor(ask: Ask, isWatched: boolean) {
    const { identity, posture, onBehalfOf } = ask.request
    this.#ask = ask
    this.#isWatched = isWatched
    // What is no data fails the decision whether or not a rule looks at it.
    this.#claims = claimsOf(identity.claims)
    this.#posture = posture === undefined ? undefined : snapshot(posture, 'the posture')
    this.#user = onBehalfOf === undefined ? undefined : freezeUser(onBehalfOf)
  }

  /** The frozen object for a rule that needs no fact. */
  get plain(): object {
    this.#plain ??= this.#show(this.#shown())
    return this.#plain
  }

  /** The frozen object for a rule that needs these. */
  withFacts(facts: object): object {
    return this.#show({ ...this.#shown(), facts })
  }

  /** Made for the first rule that looks: many permit without a look. */
  #shown(): Source {
    if (this.#source !== undefined) return this.#source
    const ask = this.#ask
    const { kind, iss, sub } = ask.request.identity
    this.#source = {
      ask,
      facts: NO_FACTS,
      identity: Object.freeze({ kind, iss, sub, claims: this.#claims }),
      posture: this.#posture,
      onBehalfOf: this.#user,
      task: new TaskView(ask),
    }
    return this.#source
  }

  #show(source: Source): object {
    const isSomewhere = source.ask.model.environmentSet.size > 0
    const seen = Object.freeze(isSomewhere ? new SeenSomewhere(source) : new SeenAnywhere(source))
    return this.#isWatched ? new Proxy(seen, new Watcher(this.looked)) : seen
  }
}

/** A class, so that a request makes one object and not a function for each trap. */
class Watcher implements ProxyHandler<Seen> {
  readonly #looked: Looked

  constructor(looked: Looked) {
    this.#looked = looked
  }

  get(target: Seen, name: string | symbol): unknown {
    this.#note(name)
    return Reflect.get(target, name)
  }

  getOwnPropertyDescriptor(target: Seen, name: string | symbol): PropertyDescriptor | undefined {
    this.#note(name)
    return Reflect.getOwnPropertyDescriptor(target, name)
  }

  #note(name: string | symbol): void {
    if (name === 'resource' || name === 'resourceParts') this.#looked.resource = true
    else if (name === 'parameters') this.#looked.parameters = true
  }
}

const claimsOf = (claims: object | undefined): unknown =>
  claims === undefined || Object.keys(claims).length === 0 ? NO_CLAIMS : snapshot(claims, 'the claims')

function freezeUser({
  iss,
  sub,
  tenant,
}: {
  readonly iss: string
  readonly sub: string
  readonly tenant?: string
}): object {
  return Object.freeze(tenant === undefined ? { iss, sub } : { iss, sub, tenant })
}
