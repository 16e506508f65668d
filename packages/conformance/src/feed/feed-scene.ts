import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createBroker, privateKeySigner, signingKeys, type Broker } from '@hallpass/broker'
import { defineApi, memoryLedger, memoryTrail, type Ledger, type UseLedger } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { signJws, testIdentity, testKey, wireAgent, type TestIdentity } from '@hallpass/testing'
import { createVerifier } from '@hallpass/verifier'
import { feed, type FeedObservation, type FeedOptions, type RevocationFeed } from '@hallpass/verifier/feed'

export const AUDIENCE = 'https://orders.test'
const STOCK = 'https://stock.test'
const orders = defineApi({
  audience: AUDIENCE,
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})
const stock = defineApi({
  audience: STOCK,
  actions: { 'item.read': { route: 'GET /items/{id}', resource: 'item:{id}', risk: 'read' } },
})

/** What goes over the wire from the broker to a verifier, and may be held, lost, doubled or changed on the way. */
export type Wire = (message: string) => readonly string[]

export interface FeedVerifier {
  readonly feed: RevocationFeed
  readonly observed: readonly FeedObservation[]
  /** What the verifier says to one honest call with this grant. */
  ask(grant: Grant): Promise<string>
  close(): void
}

export interface Grant {
  readonly token: string
  readonly jti: string
  readonly txn: string
}

const now = () => Date.now() / 1000

/** Real brokers behind one address on loopback, on one ledger, and verifiers with stores of their own that follow. */
export class FeedScene {
  readonly issuer: string
  readonly brokerKey = testKey()
  readonly brokers: readonly Broker[]
  readonly streams: Request[] = []
  /** Which broker answers; undefined = nobody does. */
  active: number | undefined = 0
  wire: Wire = (message) => [message]
  readonly #identities = new Map<string, TestIdentity>()
  readonly #closers: (() => unknown)[] = []

  static async open(options: { readonly brokers?: number; readonly ledger?: () => Ledger } = {}): Promise<FeedScene> {
    let answer: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 })
    const listener = getRequestListener(async (request) => answer(request))
    const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const scene = new FeedScene(`http://127.0.0.1:${port}`, options)
    answer = async (request) => scene.#answer(request)
    scene.#closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return scene
  }

  private constructor(issuer: string, { brokers = 1, ledger }: { brokers?: number; ledger?: () => Ledger }) {
    this.issuer = issuer
    const shared = ledger?.() ?? memoryLedger({ exactFor: 'one-process' })
    this.brokers = Array.from({ length: brokers }, () => this.broker(ledger?.() ?? shared))
  }

  identity(id: string): TestIdentity {
    const known = this.#identities.get(id) ?? testIdentity(id, { audience: this.issuer, clock: now })
    this.#identities.set(id, known)
    return known
  }

  broker(ledger: Ledger): Broker {
    const broker = createBroker({
      issuer: this.issuer,
      policy: definePolicy({
        api: [orders, stock],
        version: '1',
        purposes: ['test'],
        agents: {
          'test-agent': {
            owner: 'team:test',
            identity: this.identity('test-agent').registered,
            approvers: ['group:test'],
            revokeOn: defaultTriggers,
            maxOpenTasks: 1000,
          },
        },
        rules: [{ id: 'permit-reads', risk: 'read', effect: 'permit', limits: { calls: 1000, ttlSeconds: 300 } }],
      }),
      ledger,
      keys: signingKeys({ current: privateKeySigner(this.brokerKey.privateJwk, this.brokerKey.jkt) }),
      audit: memoryTrail(),
      apis: [orders, stock].map((api) => ({
        id: api.audience,
        api,
        identity: this.identity(api.audience).registered,
        ledger: 'own' as const,
      })),
      sweepSeconds: 0,
      feed: { heartbeatSeconds: 0.1 },
    })
    this.#closers.push(() => broker.close())
    return broker
  }

  get agent() {
    return wireAgent({
      issuer: this.issuer,
      identity: this.identity('test-agent').source,
      fetch: async (request) => fetch(request),
      clock: now,
      key: this.#agentKey,
    })
  }
  readonly #agentKey = testKey()

  async grants(count: number, call: { audience: string; action: string; resource: string } = READ): Promise<Grant[]> {
    const { agent } = this
    const opened = await agent.open('test')
    const task = opened.body['access_token'] as string
    const grants: Grant[] = []
    for (let n = 0; n < count; n += 1) {
      const { body } = await agent.exchange(task, call)
      const token = body['access_token'] as string
      const { jti, txn } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Grant
      grants.push({ token, jti, txn })
    }
    return grants
  }

  async grant(): Promise<Grant> {
    const [grant] = await this.grants(1)
    if (grant === undefined) throw new Error('No grant')
    return grant
  }

  verifier(options: Partial<FeedOptions> = {}): FeedVerifier {
    const observed: FeedObservation[] = []
    const listening = feed({
      identity: this.identity(AUDIENCE).source,
      maxStalenessSeconds: 1,
      observe: (observation) => void observed.push(observation),
      ...options,
    })
    const verifier = createVerifier({
      api: orders,
      issuer: this.issuer,
      ledger: admitting,
      audit: memoryTrail(),
      revocation: listening,
    })
    this.#closers.push(() => listening.close())
    const { agent } = this
    return {
      feed: listening,
      observed,
      close: () => listening.close(),
      async ask({ token }) {
        const proof = agent.proof({ method: 'GET', url: `${AUDIENCE}/orders/1`, token })
        const headers = ['authorization', `DPoP ${token}`, 'dpop', proof]
        const verdict = await verifier.verify('order.read', { method: 'GET', target: '/orders/1', headers })
        return verdict.kind === 'refused' ? verdict.reason : verdict.kind
      },
    }
  }

  /** A security event that says what it likes, signed by the broker's own key or another. */
  readonly forge = (claims: object, key = this.brokerKey, header: object = {}): string =>
    signJws({ typ: 'secevent+jwt', alg: 'ES256', kid: this.brokerKey.jkt, ...header }, claims, key.privateKey)

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close()
  }

  async #answer(request: Request): Promise<Response> {
    const broker = this.active === undefined ? undefined : this.brokers[this.active]
    if (broker === undefined) return new Response(null, { status: 503 })
    const response = await broker.fetch(request)
    if (!request.url.endsWith('/events') || response.body === null) return response
    this.streams.push(request)
    return new Response(response.body.pipeThrough(this.#tampering()), response)
  }

  /** Whole messages at a time, each as the wire has it. */
  #tampering(): TransformStream<Uint8Array, Uint8Array> {
    const decoder = new TextDecoder()
    const encoder = new TextEncoder()
    let rest = ''
    const wire: Wire = (message) => this.wire(message)
    return new TransformStream({
      transform(chunk, controller) {
        const messages = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
        rest = messages.pop() ?? ''
        for (const message of messages) {
          for (const carried of wire(message)) controller.enqueue(encoder.encode(`${carried}\n\n`))
        }
      },
    })
  }
}

const READ = { audience: AUDIENCE, action: 'order.read', resource: 'order:1' }
export const READ_STOCK = { audience: STOCK, action: 'item.read', resource: 'item:1' }

/** A store of a verifier's own that never says no: what refuses here is the feed. */
const admitting: UseLedger = {
  exactFor: 'one-process',
  redeem: ({ event }) => ({ ok: true, state: 'first', reservation: `res_${event}`, at: now(), usesLeft: 9 }),
  settle: () => undefined,
  giveBack: () => false,
}
