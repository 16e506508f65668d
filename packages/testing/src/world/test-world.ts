import type { Broker } from '@hallpass/broker'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Client, ClientOptions } from '@hallpass/client'
import { createClient } from '@hallpass/client'
import type { Api, ApiSet, EventType, Ledger, Telemetry, TrailLine } from '@hallpass/core'
import { apisOf, memoryLedger, memoryTrail } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import type { Observation, Verifier } from '@hallpass/verifier'
import { createVerifier } from '@hallpass/verifier'
import type { FixedClock } from '../clock/fixed-clock.ts'
import { fixedClock } from '../clock/fixed-clock.ts'
import type { TestIdentity } from '../identity/test-identity.ts'
import { testIdentity } from '../identity/test-identity.ts'
import type { TestKey } from '../key/test-key.ts'
import { testKey } from '../key/test-key.ts'
import type { WireAgent } from '../wire/wire-agent.ts'
import { wireAgent } from '../wire/wire-agent.ts'
import { permitEverything, TEST_AGENT } from './permit-everything.ts'
import type { TestCall, TestHandler } from './test-api.ts'
import { createTestApi } from './test-api.ts'
import { testNonces } from './test-nonces.ts'
import { withTestIdentities } from './with-test-identities.ts'

export interface TestWorldOptions<S extends ApiSet, Purpose extends string, Agent extends string> {
  readonly api: S
  /** Your own policy; its agents authenticate by keys of the world. Without one, `test-agent` may do everything. */
  readonly policy?: Policy<S, Purpose, Agent>
  /** NumericDate seconds at which the clock stands. */
  readonly now?: number
  /** Broker and APIs ask for nonces in proofs. */
  readonly nonces?: boolean
  readonly issuer?: string
  /** The policy's own identities count; agents then authenticate with what `client({ identity })` is given. */
  readonly ownIdentities?: boolean
  /** Answers for everything outside: identity providers, bundle endpoints. */
  readonly outside?: (request: Request) => Promise<Response>
  /** Traces and metrics of broker, verifiers and clients. */
  readonly telemetry?: Telemetry
}

/** Broker, verifiers, APIs and clients in one process, on one clock, without a network. */
export interface TestWorld<S extends ApiSet = ApiSet, Purpose extends string = string, Agent extends string = string> {
  readonly issuer: string
  readonly api: S
  readonly clock: FixedClock
  readonly broker: Broker
  readonly ledger: Ledger
  readonly policy: Policy
  /** The key the broker signs with, to forge what only a broker could sign. */
  readonly brokerKey: TestKey
  /** Calls that reached a handler, in order. */
  readonly handled: readonly TestCall[]
  /** Every verdict of every verifier, with its reason. */
  readonly observed: readonly Observation[]
  /** A client of its own, with its own key, for one agent of the policy. */
  client(agent?: Agent, options?: Partial<ClientOptions<S, Purpose>>): Client<S, Purpose>
  /** An agent that speaks the wire by hand, to lie with. */
  wire(agent?: Agent, key?: TestKey): WireAgent
  /** What an agent or API authenticates with. */
  identity(id: Agent | (string & {})): TestIdentity
  verifier(audience?: string): Verifier
  /** Replaces the handler of an action, which by default answers with what it was asked. */
  handle(action: string, handler: TestHandler): void
  /** Reaches the broker and every API by their URLs. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** What the trail has, whole. */
  events(filter?: { readonly type?: EventType; readonly txn?: string }): Promise<readonly TrailLine[]>
  close(): Promise<void>
}

/**
 * Everything wired for a test in one line. The clock stands still until `clock.advance(seconds)`.
 *
 *     const world = testWorld({ api: orders, policy })
 *     const outcome = await world.client('support-bot').task({ purpose: 'support-ticket' }, (task) => task.call(...))
 */
export function testWorld<
  const S extends ApiSet,
  Purpose extends string = string,
  Agent extends string = typeof TEST_AGENT,
>(options: TestWorldOptions<S, Purpose, Agent>): TestWorld<S, Purpose, Agent> {
  const { api, issuer = 'https://broker.test' } = options
  const clock = fixedClock(options.now)
  const identities = new Map<string, TestIdentity>()
  const identity = (id: string): TestIdentity => {
    const known = identities.get(id) ?? testIdentity(id, { audience: issuer, clock: clock.now })
    identities.set(id, known)
    return known
  }
  const given = options.policy as Policy | undefined
  const byTestKeys = given && options.ownIdentities !== true ? withTestIdentities(given, identity) : given
  const policy: Policy = byTestKeys ?? permitEverything(api, identity(TEST_AGENT))
  const outside =
    options.outside ??
    (async (request: Request) => {
      throw new TypeError(`Nothing answers at ${new URL(request.url).origin} in this world`)
    })
  const told = options.telemetry === undefined ? {} : { telemetry: options.telemetry }
  const brokerKey = testKey()
  const ledger = memoryLedger({ exactFor: 'one-process', clock: clock.now })
  const trail = memoryTrail()
  const broker = createBroker({
    issuer,
    policy,
    ledger,
    keys: signingKeys({ current: privateKeySigner(brokerKey.privateJwk, brokerKey.jkt) }),
    audit: trail,
    apis: apisOf(api).map((one) => ({ id: one.audience, api: one, identity: identity(one.audience).registered })),
    sweepSeconds: 0,
    // The clock stands still, and a bucket on it would never fill again.
    rates: { perCaller: 'unlimited', unproven: 'unlimited' },
    clock: clock.now,
    fetch: async (url, init) => outside(new Request(url, init)),
    ...(options.nonces === true && { nonces: true as const }),
    ...told,
  })
  const handled: TestCall[] = []
  const observed: Observation[] = []
  const observe = (observation: Observation) => void observed.push(observation)
  const nonces = options.nonces === true ? { nonces: testNonces() } : {}
  const places = apisOf(api).map((one) => {
    const verifier: Verifier = createVerifier<Api>({
      api: one,
      issuer: broker,
      ledger,
      audit: broker.audit,
      clock: clock.now,
      observe,
      ...nonces,
      ...told,
    })
    return { audience: one.audience, verifier, served: createTestApi(verifier, handled) }
  })

  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    const { origin } = new URL(request.url)
    if (origin === new URL(issuer).origin) return broker.fetch(request)
    const place = places.find(({ audience }) => new URL(audience).origin === origin)
    return place === undefined ? outside(request) : place.served.fetch(request)
  }

  const agentOf = (agent: string | undefined) => identity(agent ?? Object.keys(policy.agents)[0] ?? TEST_AGENT)
  return {
    issuer,
    api,
    clock,
    broker,
    ledger,
    policy,
    brokerKey,
    handled,
    observed,
    identity,
    fetch,
    client: (agent, more) =>
      createClient<S, Purpose>({
        issuer,
        identity: agentOf(agent).source,
        api,
        fetch,
        clock: clock.now,
        retryDelaysMs: [0],
        ...told,
        ...more,
      }),
    wire: (agent, key) =>
      wireAgent({ issuer, identity: agentOf(agent).source, fetch, clock: clock.now, ...(key && { key }) }),
    verifier: (audience) => {
      const place = audience === undefined ? places[0] : places.find((one) => one.audience === audience)
      if (place === undefined) throw new TypeError(`There is no API with the audience ${audience} in this world`)
      return place.verifier
    },
    handle(action, handler) {
      for (const { served } of places) served.handle(action, handler)
    },
    async events(filter) {
      await Promise.all(places.map(({ verifier }) => verifier.flush()))
      await trail.flush()
      return trail.events(filter)
    },
    async close() {
      await broker.close()
      await Promise.all(places.map(({ verifier }) => verifier.flush()))
      await trail.close()
    },
  }
}
