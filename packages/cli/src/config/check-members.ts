import { Failure } from '../command/failure.ts'
import type { HallpassConfig, ListenConfig, TrailConfig } from './define-config.ts'

type Members<T> = Readonly<Record<keyof T, true>>

// Every member has to be here, or this file does not compile: an option of the broker that no configuration could say.
const CONFIG: Members<HallpassConfig> = {
  issuer: true,
  policy: true,
  keys: true,
  trail: true,
  ledger: true,
  listen: true,
  apis: true,
  operators: true,
  signalers: true,
  users: true,
  environment: true,
  posture: true,
  nonces: true,
  digestKey: true,
  taskTokenSeconds: true,
  sweepSeconds: true,
  receivers: true,
  feed: true,
  rates: true,
  maxRequestsAtOnce: true,
  telemetry: true,
  fetch: true,
}
const LISTEN: Members<ListenConfig> = { host: true, port: true, drainSeconds: true, graceSeconds: true }
const TRAIL: Members<TrailConfig> = {
  path: true,
  durable: true,
  everyEvents: true,
  everySeconds: true,
  maxBufferedEvents: true,
}
const FEED: Members<NonNullable<HallpassConfig['feed']>> = { heartbeatSeconds: true, maxSubscribers: true }
const RATES: Members<NonNullable<HallpassConfig['rates']>> = { perCaller: true, unproven: true }

/** Throws a `Failure` for a member that means nothing: a misspelt option would leave its default in force, unnoticed. */
export function checkMembers(config: object): void {
  check(config, CONFIG, '')
  for (const [name, members] of Object.entries({ listen: LISTEN, trail: TRAIL, feed: FEED, rates: RATES })) {
    const inner: unknown = Object.getOwnPropertyDescriptor(config, name)?.value
    if (typeof inner === 'object' && inner !== null) check(inner, members, `${name}.`)
  }
}

function check(value: object, members: Readonly<Record<string, true>>, path: string): void {
  const odd = Object.keys(value).find((name) => !Object.hasOwn(members, name))
  if (odd === undefined) return
  throw new Failure(`${path}${odd} is no option. There are: ${Object.keys(members).toSorted().join(', ')}`)
}
