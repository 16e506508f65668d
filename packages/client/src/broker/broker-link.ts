import type { JsonObject, SpanAttributes, TelemetrySpan } from '@hallpass/core'
import { parseStrictJson } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { ProofMaker } from '../proof/proof-maker.ts'
import type { AgentTelemetry } from '../telemetry/agent-telemetry.ts'
import { asObject } from '../wire/json-object.ts'
import type { Nonces } from '../wire/nonces.ts'
import { readLimited } from '../wire/read-limited.ts'
import type { Fetch } from '../wire/send.ts'
import { within } from '../wire/send.ts'
import { brokerRefusal } from './broker-refusal.ts'
import type { Endpoints } from './discover.ts'
import { discover } from './discover.ts'

export interface BrokerSetup {
  readonly issuer: string
  readonly fetch: Fetch
  readonly proofs: () => Promise<ProofMaker>
  readonly nonces: Nonces
  readonly clock: SteadyClock
  readonly timeoutMs: number
  readonly telemetry: AgentTelemetry | undefined
}

/** What the broker said to a form; `sentAt` is on the steady clock, before the request left. */
export type BrokerAnswer = { readonly ok: true; readonly body: JsonObject; readonly sentAt: number } | Refusal

export type Operation = 'open_task' | 'renew_task' | 'grant' | 'end_task'

export interface PostOptions {
  readonly signal?: AbortSignal | undefined
  /** W3C `traceparent` of what this is asked for. */
  readonly trace?: string | undefined
  /** What else a span may say of it. */
  readonly about?: SpanAttributes
}

/** The one way to the broker: discovered once, a fresh proof for each request, never a redirect. */
export interface BrokerLink {
  post(operation: Operation, form: Readonly<Record<string, string>>, options: PostOptions): Promise<BrokerAnswer>
}

const MAX_ANSWER_BYTES = 65_536

export function createBrokerLink(setup: BrokerSetup): BrokerLink {
  const { issuer, fetch, nonces, clock, timeoutMs, telemetry } = setup
  const origin = new URL(issuer).origin
  let discovery: Promise<Endpoints | Refusal> | undefined

  /** Joined by all who wait, so no caller's signal may end it; a failure is not kept. */
  async function endpoints(): Promise<Endpoints | Refusal> {
    discovery ??= discover(issuer, fetch, { timeoutMs })
    const found = await discovery
    if (!found.ok) discovery = undefined
    return found
  }

  async function send(url: string, body: string, { signal, span }: Sending) {
    const { proof } = await setup.proofs()
    return within({ timeoutMs, signal }, async (signal) => {
      const sentAt = clock.steady()
      const headers = new Headers({
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        dpop: await proof({ method: 'POST', url, now: clock.wall(), body, nonce: nonces.of(origin) }),
      })
      if (span !== undefined) telemetry?.inject(headers, span)
      const response = await fetch(new Request(url, { method: 'POST', headers, body, redirect: 'manual', signal }))
      const fresh = nonces.learn(origin, response)
      return { status: response.status, bytes: await readLimited(response, MAX_ANSWER_BYTES), fresh, sentAt }
    })
  }

  async function post(operation: Operation, form: Readonly<Record<string, string>>, sending: Sending) {
    const endpoint = operation === 'end_task' ? 'revocation' : 'token'
    sending.signal?.throwIfAborted()
    const found = await endpoints()
    if (!found.ok) return found
    const body = new URLSearchParams(form).toString()
    for (let attempt = 1; ; attempt += 1) {
      const answer = await send(found[endpoint], body, sending)
      if (!answer.ok) return refusal('broker-unavailable')
      const { status, bytes, fresh, sentAt } = answer.value
      const parsed = bytes === undefined || bytes.length === 0 ? undefined : parseStrictJson(bytes)
      const value = parsed?.ok ? parsed.value : undefined
      if (status === 200) return accepted({ endpoint, value, sentAt })
      // A nonce that was asked for and given is tried once (RFC 9449 section 8).
      if (!fresh || attempt > 1 || !asksForNonce(value)) return brokerRefusal(status, value)
    }
  }

  return {
    async post(operation, form, { signal, trace, about = {} }) {
      if (telemetry === undefined) return post(operation, form, { signal })
      const asked = { operation, trace, about }
      return telemetry.ask(asked, (span) => post(operation, form, { signal, span }), cameOf)
    },
  }
}

interface Sending {
  readonly signal?: AbortSignal | undefined
  readonly span?: TelemetrySpan
}

const cameOf = (answer: BrokerAnswer) => (answer.ok ? {} : { reason: answer.reason })

function accepted({ endpoint, value, sentAt }: { endpoint: string; value: unknown; sentAt: number }): BrokerAnswer {
  // RFC 7009 answers with an empty body.
  if (endpoint === 'revocation') return { ok: true, body: {}, sentAt }
  const body = asObject(value)
  return body === undefined ? refusal('broker-answer-invalid') : { ok: true, body, sentAt }
}

const asksForNonce = (value: unknown): boolean => asObject(value)?.['error'] === 'use_dpop_nonce'
