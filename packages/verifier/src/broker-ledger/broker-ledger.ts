import type {
  AuditDelivery,
  AuditEvent,
  AuditSink,
  JsonValue,
  Outcome,
  RedeemAnswer,
  RedeemRequest,
  TokenSource,
  UseLedger,
} from '@hallpass/core'
import { HallpassError, refuse } from '@hallpass/core'
import { LRUCache } from 'lru-cache'
import type { Fetch } from '../keys/remote-key-source.ts'
import { requireSecureUrl } from '../keys/secure-url.ts'
import { createBatcher } from './batcher.ts'
import { createBrokerLink } from './broker-link.ts'
import { isDone, parseRedeemAnswer, releasedIn } from './parse-answers.ts'
import { plainOutcome, plainReason } from './plain-call.ts'

export interface BrokerLedgerOptions {
  readonly issuer: string
  /** How this API proves to the broker who it is. */
  readonly identity: TokenSource
  /** How long one request to the broker may take, default 2000 ms; it is sent at most twice. */
  readonly timeoutMs?: number
  readonly fetch?: Fetch
  /** NumericDate seconds. */
  readonly clock?: () => number
}

/** Calls that may wait for the broker; more are refused. */
const MAX_WAITING = 10_000
const MAX_PER_BATCH = 200
const MAX_IN_FLIGHT = 4
/** A broker reads 1 MiB at a time, and a character takes up to three bytes. */
const MAX_BATCH_CHARS = 340_000
/** Uses whose start and end the broker records itself. Forgetting one makes its end appear twice, never not at all. */
const MAX_OPEN_USES = 50_000

type Call =
  | { readonly op: 'redeem'; readonly request: RedeemRequest }
  | { readonly op: 'settle'; readonly reservation: string; readonly outcome: Outcome }
  | { readonly op: 'give_back'; readonly reservation: string; readonly reason: string }

/**
 * The broker's ledger and trail, for an API without a store: redeems, outcomes and events go to the broker, joined into
 * one request per turn of the event loop.
 *
 * Exact across every verifier of that broker. Where the broker does not answer, redeems are refused with
 * `ledger-unavailable`, after one resend of the same attempts; nothing ever passes without it.
 * @throws HallpassError `configuration-invalid` for an issuer that is not https, or no identity.
 */
export function brokerLedger(options: BrokerLedgerOptions): UseLedger & AuditSink & AuditDelivery {
  const { issuer, identity, timeoutMs = 2000, clock = () => Date.now() / 1000 } = options
  requireSecureUrl(issuer, 'issuer')
  if (typeof identity?.assertion !== 'function') {
    throw new HallpassError(
      'configuration-invalid',
      'brokerLedger: identity is how this API proves to the broker who it is',
    )
  }
  const fetch = options.fetch ?? ((input: string, init: RequestInit) => globalThis.fetch(input, init))
  const link = createBrokerLink({ issuer, identity, fetch, timeoutMs, clock })
  const calls = createBatcher<Call, JsonValue>({
    send: async (batch) => listIn(await link.post('/redeem', { calls: batch as unknown as JsonValue }), 'answers'),
    maxWaiting: MAX_WAITING,
    maxPerBatch: MAX_PER_BATCH,
    weigh: charsOf,
    maxWeight: MAX_BATCH_CHARS,
    maxInFlight: MAX_IN_FLIGHT,
  })
  const deliver = async (batch: readonly AuditEvent[]): Promise<void> => {
    const { accepted } = await link.post('/audit', { events: batch as unknown as JsonValue })
    if (accepted !== batch.length) throw new HallpassError('audit-unavailable', 'The broker did not take every event')
  }
  const events = createBatcher<AuditEvent, true>({
    async send(batch) {
      await deliver(batch)
      return batch.map(() => true)
    },
    maxWaiting: MAX_WAITING,
    maxPerBatch: MAX_PER_BATCH,
    weigh: charsOf,
    maxWeight: MAX_BATCH_CHARS,
    maxInFlight: 1,
  })
  const recordedByBroker = new LRUCache<string, true>({ max: MAX_OPEN_USES })
  let closed = false

  const redeem = async (request: RedeemRequest): Promise<RedeemAnswer> => {
    try {
      const answer = parseRedeemAnswer(await calls.add({ op: 'redeem', request }))
      if (answer === undefined) return refuse('ledger-unavailable', 'The broker answered what no broker may')
      if (answer.ok && answer.state === 'first') recordedByBroker.set(request.event, true)
      return answer
    } catch {
      return refuse('ledger-unavailable', 'The broker did not answer')
    }
  }

  /** The broker puts start, outcome and return of a use on record as it is told of them. */
  const recordsItself = (event: AuditEvent): boolean =>
    recordedByBroker.has(event.type === 'use.started' ? event.id : endsUse(event))

  return {
    exactFor: 'all-replicas',
    redeem,
    async settle(reservation, outcome) {
      const answer = await calls.add({ op: 'settle', reservation, outcome: plainOutcome(outcome) })
      if (!isDone(answer)) throw new HallpassError('ledger-unavailable', 'The broker did not take an outcome')
    },
    async giveBack(reservation, reason) {
      return releasedIn(await calls.add({ op: 'give_back', reservation, reason: plainReason(reason) })) ?? false
    },
    async append(event) {
      if (closed) throw new HallpassError('audit-unavailable', 'The broker ledger is closed')
      if (!recordsItself(event)) await events.add(event)
    },
    deliver,
    async vouch(head, { introduce = false } = {}) {
      const checkpoint = await link.vouch(head)
      const introduction = introduce ? await link.introduction() : undefined
      await link.post('/audit', { events: [], checkpoint, ...(introduction !== undefined && { introduction }) })
      return checkpoint
    },
    records: recordsItself,
    async flush() {
      await calls.drained()
      await events.drained()
    },
    async close() {
      closed = true
      await this.flush()
    },
  }
}

const charsOf = (item: object): number => JSON.stringify(item).length

/** The use whose end this is. */
const endsUse = ({ type, follows = '' }: AuditEvent): string =>
  type === 'use.ended' || type === 'use.given-back' ? follows : ''

function listIn(answer: Readonly<Record<string, JsonValue>>, name: string): readonly JsonValue[] {
  const list = answer[name]
  if (Array.isArray(list)) return list as readonly JsonValue[]
  throw new HallpassError('ledger-unavailable', 'The broker answered what no broker may')
}
