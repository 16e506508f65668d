import assert from 'node:assert/strict'
import { memoryTrail, type AuditSink, type JsonObject, type TrailLine, type UseLedger } from '@hallpass/core'
import {
  testWorld,
  type ProofWish,
  type TestKey,
  type TestWorld,
  type WireAgent,
  type WireAnswer,
} from '@hallpass/testing'
import { createVerifier, type VerifierOptions } from '@hallpass/verifier'
import { orders, stock } from './api.ts'
import { doors, type AppOptions, type DoorName, type OrdersVerifier, type Run, type Served } from './doors.ts'
import { policy } from './policy.ts'
import { send, type RawRequest, type Reply } from './send.ts'

export interface Ask {
  readonly action: string
  readonly resource: string
  readonly parameters?: JsonObject
  readonly audience?: string
  readonly entry?: Readonly<Record<string, unknown>>
}

/** What a shot changes of an honest request. */
export interface Lie {
  readonly proof?: Partial<ProofWish>
  readonly request?: Partial<RawRequest>
  /** Fields beside the credential. */
  readonly headers?: readonly string[]
  readonly scheme?: string
  readonly by?: TestKey
}

export interface MountOptions {
  readonly handle?: (run: Run) => unknown
  readonly verifier?: OrdersVerifier
  readonly ledger?: UseLedger
  readonly audit?: AuditSink
  readonly more?: Partial<VerifierOptions<typeof orders>>
  readonly rollout?: Pick<AppOptions, 'observeOnlyUntil' | 'orElse'>
}

export const json = ['content-type', 'application/json'] as const
const AUDIENCE = orders.audience

/** One real broker, one API behind one door, one agent that can lie, on one clock that stands still. */
export class Stage {
  readonly door: DoorName
  readonly world = testWorld({ api: [orders, stock], policy })
  readonly agent: WireAgent = this.world.wire('support-bot')
  readonly runs: Run[] = []
  #served: Served | undefined

  constructor(door: DoorName) {
    this.door = door
  }

  get clock(): TestWorld['clock'] {
    return this.world.clock
  }

  /** A verifier in front of the same ledger and broker, with parts replaced. */
  verifier({ ledger, audit, more }: MountOptions): OrdersVerifier {
    return createVerifier({
      api: orders,
      issuer: this.world.broker,
      ledger: ledger ?? this.world.ledger,
      audit: audit ?? memoryTrail(),
      clock: this.clock.now,
      ...more,
    })
  }

  async mount(options: MountOptions = {}): Promise<void> {
    await this.#served?.close()
    const isPlain = options.ledger === undefined && options.audit === undefined && options.more === undefined
    const own = isPlain ? (this.world.verifier(AUDIENCE) as OrdersVerifier) : this.verifier(options)
    const handle = options.handle ?? (() => ({ done: true }))
    this.#served = await doors[this.door]({
      verifier: options.verifier ?? own,
      handle: (run) => {
        this.runs.push(run)
        return handle(run)
      },
      ...options.rollout,
    })
  }

  /** Where the API listens. */
  async port(): Promise<number> {
    if (this.#served === undefined) await this.mount()
    assert(this.#served)
    return this.#served.port
  }

  async send(request: RawRequest): Promise<Reply> {
    return send(await this.port(), request)
  }

  async task(purpose = 'support', more?: JsonObject, agent = this.agent): Promise<string> {
    return tokenOf(await agent.open(purpose, more))
  }

  ask(task: string, { audience = AUDIENCE, ...call }: Ask, agent = this.agent): Promise<WireAnswer> {
    return agent.exchange(task, { audience, ...call })
  }

  async grant(task: string, ask: Ask, agent = this.agent): Promise<string> {
    return tokenOf(await this.ask(task, ask, agent))
  }

  /** A request with the grant and a proof for it; a lie replaces parts of either. */
  shoot(token: string, { method = 'GET', target, body }: RawRequest, lie: Lie = {}): Promise<Reply> {
    const [path = '', query = ''] = target.split('?')
    const proof = this.agent.proof({
      method,
      url: `${AUDIENCE}${path}`,
      token,
      query,
      ...(body === undefined ? {} : { body }),
      ...lie.proof,
    })
    const signed =
      lie.by === undefined
        ? proof
        : this.world.wire('support-bot', lie.by).proof({
            method,
            url: `${AUDIENCE}${path}`,
            token,
            query,
            ...(body === undefined ? {} : { body }),
            ...lie.proof,
          })
    const headers = [
      'authorization',
      `${lie.scheme ?? 'DPoP'} ${token}`,
      'dpop',
      signed,
      ...(body === undefined ? [] : json),
      ...(lie.headers ?? []),
    ]
    return this.send({ method, target, body, headers, ...lie.request })
  }

  readOrder(token: string, lie?: Lie, id = '123'): Promise<Reply> {
    return this.shoot(token, { target: `/orders/${id}` }, lie)
  }

  refund(token: string, amount = '20.00', lie?: Lie): Promise<Reply> {
    return this.shoot(token, { method: 'POST', target: '/orders/123/refund', body: JSON.stringify({ amount }) }, lie)
  }

  update(token: string, quantity = '1', lie?: Lie): Promise<Reply> {
    return this.shoot(
      token,
      { method: 'PATCH', target: '/orders/123/items/9', body: JSON.stringify({ quantity }) },
      lie,
    )
  }

  readGrant(task: string, id = '123'): Promise<string> {
    return this.grant(task, { action: 'order.read', resource: `order:${id}` })
  }

  refundGrant(task: string, amount = '20.00'): Promise<string> {
    return this.grant(task, { action: 'refund.create', resource: 'order:123', parameters: { amount } })
  }

  updateGrant(task: string): Promise<string> {
    return this.grant(task, { action: 'item.update', resource: 'order:123', parameters: { item: '9', quantity: '1' } })
  }

  events(): Promise<readonly TrailLine[]> {
    return this.world.events()
  }

  async close(): Promise<void> {
    await this.#served?.close()
    await this.world.close()
  }
}

export const tokenOf = (answer: WireAnswer): string => {
  const token = answer.body['access_token']
  assert(typeof token === 'string', `the broker refused: ${String(answer.body['reason'] ?? answer.body['error'])}`)
  return token
}

/** `200`, or `403 not-granted`. */
export const told = ({ status, json: body }: Reply): string => {
  const type = body['type']
  return typeof type === 'string' ? `${status} ${type.replace('urn:hallpass:problem:', '')}` : String(status)
}

/** `400 access_denied no-rule-matched` */
export const answered = ({ status, body }: WireAnswer): string =>
  [status, body['error'], body['reason']]
    .filter((part) => part !== undefined)
    .map(String)
    .join(' ')
