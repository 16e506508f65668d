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
  readonly #source: Source
  readonly #isWatched: boolean
  #plain: object | undefined

  /** `isWatched`: whether it matters what rules look at, which costs a little. */
  constructor(ask: Ask, isWatched: boolean) {
    const { identity, onBehalfOf, posture } = ask.request
    this.#isWatched = isWatched
    this.#source = {
      ask,
      facts: NO_FACTS,
      identity: Object.freeze({
        kind: identity.kind,
        iss: identity.iss,
        sub: identity.sub,
        claims: claimsOf(identity.claims),
      }),
      posture: posture === undefined ? undefined : snapshot(posture, 'the posture'),
      onBehalfOf: onBehalfOf === undefined ? undefined : freezeUser(onBehalfOf),
      task: new TaskView(ask),
    }
  }

  /** The frozen object for a rule that needs no fact. */
  get plain(): object {
    this.#plain ??= this.#show(this.#source)
    return this.#plain
  }

  /** The frozen object for a rule that needs these. */
  withFacts(facts: object): object {
    return this.#show({ ...this.#source, facts })
  }

  #show(source: Source): object {
    const isSomewhere = source.ask.model.environmentSet.size > 0
    const seen = Object.freeze(isSomewhere ? new SeenSomewhere(source) : new SeenAnywhere(source))
    return this.#isWatched ? new Proxy(seen, watcher(this.looked)) : seen
  }
}

function watcher(looked: Looked): ProxyHandler<Seen> {
  const note = (name: string | symbol): void => {
    if (name === 'resource' || name === 'resourceParts') looked.resource = true
    else if (name === 'parameters') looked.parameters = true
  }
  return {
    get(target, name) {
      note(name)
      return Reflect.get(target, name) as unknown
    },
    getOwnPropertyDescriptor(target, name) {
      note(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
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
