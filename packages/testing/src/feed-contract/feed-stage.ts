import assert from 'node:assert/strict'
import type { Broker } from '@hallpass/broker'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Ledger, MaybePromise } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { testIdentity } from '../identity/test-identity.ts'
import { testKey } from '../key/test-key.ts'
import { wireAgent } from '../wire/wire-agent.ts'
import { TEST_AGENT, TEST_PURPOSE } from '../world/permit-everything.ts'
import type { FeedVerifier, FollowOptions } from './feed-verifier.ts'
import { followFeed } from './feed-verifier.ts'
import type { HeldGrant } from './orders.ts'
import { AUDIENCE, orders, ordersPolicy } from './orders.ts'
import { tampering, type Wire } from './tampering.ts'

/** One empty store, and what two brokers see of it, each by a client of its own. */
export interface FeedStores {
  readonly ledgers: readonly [Ledger, Ledger]
  /** Breaks the store, or the second broker's way to it, and mends it, by the names of the contract's faults. */
  readonly faults?: Readonly<Record<string, FeedFault>>
  close?(): MaybePromise<void>
}

export interface FeedFault {
  begin(): MaybePromise<void>
  end(): MaybePromise<void>
}

export const FIRST = 0
export const SECOND = 1
export type Which = typeof FIRST | typeof SECOND

const ISSUER = 'https://broker.test'
const HEARTBEAT_SECONDS = 0.2

const now = () => Date.now() / 1000

/** Two brokers of one issuer on one store, an agent, and verifiers with stores of their own, in this process. */
export class FeedStage {
  readonly brokerKey = testKey()
  readonly stores: FeedStores
  /** The broker that verifiers reach; undefined = none. */
  reached: Which | undefined = SECOND
  /** What becomes of the messages to verifiers on the way. */
  wire: Wire = (message) => [message]
  /** The place that each event stream was asked to go on from. */
  readonly resumes: (string | null)[] = []
  readonly #identities = { [AUDIENCE]: this.#identity(AUDIENCE), [TEST_AGENT]: this.#identity(TEST_AGENT) }
  readonly #policy = ordersPolicy(this.#identities[TEST_AGENT])
  readonly #brokers: [Broker, Broker]
  readonly #verifiers: FeedVerifier[] = []
  readonly #agentKey = testKey()

  constructor(stores: FeedStores, { heartbeatSeconds = HEARTBEAT_SECONDS } = {}) {
    this.stores = stores
    const [first, second] = stores.ledgers
    this.#brokers = [this.#broker(first, heartbeatSeconds), this.#broker(second, heartbeatSeconds)]
  }

  broker(which: Which): Broker {
    return this.#brokers[which]
  }

  /** Ends a broker, as a process that goes; another one takes its place when it is started. */
  async endBroker(which: Which): Promise<void> {
    await this.#brokers[which].close()
    if (this.reached === which) this.reached = undefined
  }

  startBroker(which: Which): void {
    this.#brokers[which] = this.#broker(this.stores.ledgers[which], HEARTBEAT_SECONDS)
    this.reached = which
  }

  /** Grants that live, each in a task of its own. */
  async grants(count: number, from: Which = FIRST): Promise<HeldGrant[]> {
    const grants: HeldGrant[] = []
    for (let n = 0; n < count; n += 1) {
      const agent = this.#agent(from)
      const opened = await agent.open(TEST_PURPOSE)
      const call = { audience: AUDIENCE, action: 'order.read', resource: 'order:1' }
      const task = String(opened.body['access_token'])
      const { body, status } = await agent.exchange(task, call)
      assert.equal(status, 200, `no grant: ${JSON.stringify(body)}`)
      const token = String(body['access_token'])
      const { jti, txn } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as HeldGrant
      grants.push({ token, jti, txn, task })
    }
    return grants
  }

  /** The agent ends the task that it holds this grant in. */
  async endTaskOf({ task }: HeldGrant, at: Which): Promise<void> {
    assert.equal((await this.#agent(at).end(task, 'completed')).status, 200)
  }

  /** A verifier that follows whichever broker is reached, once it serves. */
  async serving(options: FollowOptions = {}): Promise<FeedVerifier> {
    const verifier = this.follow(options)
    await verifier.feed.ready()
    return verifier
  }

  follow(options: FollowOptions = {}): FeedVerifier {
    const agent = this.#agent(FIRST)
    const verifier = followFeed(
      {
        issuer: {
          issuer: ISSUER,
          jwks: () => this.#brokers[FIRST].jwks(),
          fetch: (request) => this.#answer(request),
        },
        identity: this.#identities[AUDIENCE].source,
        proofFor: (token) => agent.proof({ method: 'GET', url: `${AUDIENCE}/orders/1`, token }),
      },
      options,
    )
    this.#verifiers.push(verifier)
    return verifier
  }

  async close(): Promise<void> {
    for (const verifier of this.#verifiers) verifier.feed.close()
    await Promise.allSettled(this.#brokers.map((broker) => broker.close()))
    await this.stores.close?.()
  }

  #identity(id: string) {
    return testIdentity(id, { audience: ISSUER, clock: now })
  }

  #agent(at: Which) {
    return wireAgent({
      issuer: ISSUER,
      identity: this.#identities[TEST_AGENT].source,
      fetch: (request) => this.#brokers[at].fetch(request),
      clock: now,
      key: this.#agentKey,
    })
  }

  #broker(ledger: Ledger, heartbeatSeconds: number): Broker {
    const key = signingKeys({ current: privateKeySigner(this.brokerKey.privateJwk, this.brokerKey.jkt) })
    const api = { api: orders, identity: this.#identities[AUDIENCE].registered, ledger: 'own' as const }
    return createBroker({
      issuer: ISSUER,
      policy: this.#policy,
      ledger,
      keys: key,
      audit: memoryTrail(),
      apis: [api],
      sweepSeconds: 0,
      feed: { heartbeatSeconds },
    })
  }

  async #answer(request: Request): Promise<Response> {
    if (this.reached === undefined) return new Response(null, { status: 503 })
    const response = await this.#brokers[this.reached].fetch(request)
    if (!request.url.endsWith('/events') || response.status !== 200 || response.body === null) return response
    this.resumes.push(request.headers.get('last-event-id'))
    return new Response(response.body.pipeThrough(tampering((message) => this.wire(message))), response)
  }
}
