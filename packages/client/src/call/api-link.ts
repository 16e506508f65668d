import type { Result, TelemetrySpan } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import type { HeldGrant } from '../grant/held-grant.ts'
import { refusal } from '../outcome/refusal.ts'
import type { ProofMaker } from '../proof/proof-maker.ts'
import type { AgentTelemetry } from '../telemetry/agent-telemetry.ts'
import type { Nonces } from '../wire/nonces.ts'
import type { Fetch } from '../wire/send.ts'
import { within } from '../wire/send.ts'
import { readApiAnswer } from './api-refusal.ts'
import type { PlannedRequest } from './call-plan.ts'
import type { Present, Presented } from './perform-call.ts'

export interface ApiSetup {
  readonly fetch: Fetch
  readonly proofs: () => Promise<ProofMaker>
  readonly nonces: Nonces
  readonly clock: SteadyClock
  readonly timeoutMs: number
  readonly telemetry: AgentTelemetry | undefined
}

export interface SendOptions {
  /** Ends the waiting for an answer. */
  readonly until: AbortSignal
  /** The caller's own signals: they end the reading of the answer's body too. */
  readonly signals: readonly AbortSignal[]
  /** W3C `traceparent` of the call. */
  readonly trace?: string | undefined
}

/** The one way to an API: the grant and a fresh proof for this very request, to this URL, never along a redirect. */
export type ApiLink = (grant: HeldGrant, request: PlannedRequest, options: SendOptions) => Promise<Presented<Response>>

export function createApiLink({ fetch, proofs, nonces, clock, timeoutMs, telemetry }: ApiSetup): ApiLink {
  async function send(grant: HeldGrant, planned: PlannedRequest, { until, signals, span }: Sending) {
    const { method, url, query, body } = planned
    const origin = new URL(url).origin
    const { proof } = await proofs()
    const credential = grant.credential(clock.steady())
    if (credential === undefined) return undefined
    const { token, ath } = credential
    const headers = new Headers(planned.headers)
    headers.set('authorization', `DPoP ${token}`)
    if (span !== undefined) telemetry?.inject(headers, span)
    headers.set('dpop', await proof({ method, url, now: clock.wall(), ath, body, query, nonce: nonces.of(origin) }))
    return within({ timeoutMs, signal: until }, async (signal) => {
      const target = query === undefined ? url : `${url}?${query}`
      const payload = body === undefined ? null : typeof body === 'string' ? body : new Uint8Array(body)
      const both = signals.length === 0 ? signal : AbortSignal.any([signal, ...signals])
      const init = { method, headers, body: payload, signal: both }
      const response = await fetch(new Request(target, { ...init, redirect: 'manual' }))
      const { status } = response
      return { status, fresh: nonces.learn(origin, response), answer: await readApiAnswer(response) }
    })
  }

  async function attempted(grant: HeldGrant, planned: PlannedRequest, options: SendOptions) {
    if (telemetry === undefined) return send(grant, planned, options)
    const { action, audience } = grant
    const sent = { method: planned.method, action, audience, trace: options.trace }
    return telemetry.send(sent, (span) => send(grant, planned, { ...options, span }), cameOf)
  }

  return async (grant, planned, options) => {
    for (let attempt = 1; ; attempt += 1) {
      const sent = await attempted(grant, planned, options)
      // Dropped, or ran out before it could be presented.
      if (sent === undefined) return { ok: false, refusal: refusal('token-expired'), isTokenGone: true }
      if (!sent.ok) return { ok: false, refusal: refusal('api-unavailable'), isTokenGone: false }
      const { fresh, answer } = sent.value
      // A nonce that was asked for and given is tried once (RFC 9449 section 9); the same Idempotency-Key travels again.
      if (answer.ok || answer.refusal.reason !== 'proof-nonce' || !fresh || attempt > 1) return answer
    }
  }
}

interface Sending extends SendOptions {
  readonly span?: TelemetrySpan
}

type Sent = Result<{ readonly status: number; readonly answer: Presented<Response> }, 'unavailable'> | undefined

function cameOf(sent: Sent) {
  if (sent === undefined) return { reason: 'token-expired' }
  if (!sent.ok) return { reason: 'api-unavailable' }
  const { status, answer } = sent.value
  return answer.ok ? { status } : { status, reason: answer.refusal.reason }
}

/** Presents a grant with this request. */
export const sending =
  (send: ApiLink, request: PlannedRequest, signals: readonly AbortSignal[]): Present<Response> =>
  (held, until, trace) =>
    send(held, request, { until, signals, trace })
