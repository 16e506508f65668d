import type { JsonObject } from '@hallpass/core'
import { parseStrictJson } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { ProofMaker } from '../proof/proof-maker.ts'
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
}

/** What the broker said to a form; `sentAt` is on the steady clock, before the request left. */
export type BrokerAnswer = { readonly ok: true; readonly body: JsonObject; readonly sentAt: number } | Refusal

/** The one way to the broker: discovered once, a fresh proof for each request, never a redirect. */
export interface BrokerLink {
  post(
    endpoint: 'token' | 'revocation',
    form: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<BrokerAnswer>
}

const MAX_ANSWER_BYTES = 65_536

export function createBrokerLink(setup: BrokerSetup): BrokerLink {
  const { issuer, fetch, nonces, clock, timeoutMs } = setup
  const origin = new URL(issuer).origin
  let discovery: Promise<Endpoints | Refusal> | undefined

  /** Joined by all who wait, so no caller's signal may end it; a failure is not kept. */
  async function endpoints(): Promise<Endpoints | Refusal> {
    discovery ??= discover(issuer, fetch, { timeoutMs })
    const found = await discovery
    if (!found.ok) discovery = undefined
    return found
  }

  async function send(url: string, body: string, signal: AbortSignal | undefined) {
    const { proof } = await setup.proofs()
    return within({ timeoutMs, signal }, async (signal) => {
      const sentAt = clock.steady()
      const headers = {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        dpop: await proof({ method: 'POST', url, now: clock.wall(), body, nonce: nonces.of(origin) }),
      }
      const response = await fetch(new Request(url, { method: 'POST', headers, body, redirect: 'manual', signal }))
      const fresh = nonces.learn(origin, response)
      return { status: response.status, bytes: await readLimited(response, MAX_ANSWER_BYTES), fresh, sentAt }
    })
  }

  return {
    async post(endpoint, form, signal) {
      signal?.throwIfAborted()
      const found = await endpoints()
      if (!found.ok) return found
      const body = new URLSearchParams(form).toString()
      for (let attempt = 1; ; attempt += 1) {
        const answer = await send(found[endpoint], body, signal)
        if (!answer.ok) return refusal('broker-unavailable')
        const { status, bytes, fresh, sentAt } = answer.value
        const parsed = bytes === undefined || bytes.length === 0 ? undefined : parseStrictJson(bytes)
        const value = parsed?.ok ? parsed.value : undefined
        if (status === 200) return accepted({ endpoint, value, sentAt })
        // A nonce that was asked for and given is tried once (RFC 9449 section 8).
        if (!fresh || attempt > 1 || !asksForNonce(value)) return brokerRefusal(status, value)
      }
    },
  }
}

function accepted({ endpoint, value, sentAt }: { endpoint: string; value: unknown; sentAt: number }): BrokerAnswer {
  // RFC 7009 answers with an empty body.
  if (endpoint === 'revocation') return { ok: true, body: {}, sentAt }
  const body = asObject(value)
  return body === undefined ? refusal('broker-answer-invalid') : { ok: true, body, sentAt }
}

const asksForNonce = (value: unknown): boolean => asObject(value)?.['error'] === 'use_dpop_nonce'
