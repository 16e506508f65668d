import type { JsonObject, TokenSource } from '@hallpass/core'
import { CLIENT_ASSERTION_TYPE, DETAIL_TYPE, GRANT_TYPE, TOKEN_TYPE_URI } from '@hallpass/core'
import type { TestKey } from '../key/test-key.ts'
import { testKey } from '../key/test-key.ts'
import type { ProofWish } from './make-proof.ts'
import { makeProof } from './make-proof.ts'

/** What a server said. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface WireCall {
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly parameters?: JsonObject
  /** Members that replace those of an honest entry. */
  readonly entry?: Readonly<Record<string, unknown>>
  /** The same for the form. */
  readonly form?: Readonly<Record<string, string>>
}

export interface WireAgentOptions {
  readonly issuer: string
  readonly identity: TokenSource
  readonly fetch: (request: Request) => Promise<Response>
  readonly clock: () => number
  readonly key?: TestKey
}

/**
 * An agent that speaks the wire by hand, because an attacker does not use the client. It is honest unless a test tells it
 * to lie, and everything it holds is in the open.
 */
export interface WireAgent {
  readonly key: TestKey
  post(path: string, form: Readonly<Record<string, string>>, proof?: Partial<ProofWish>): Promise<WireAnswer>
  /** Opens a task. */
  open(purpose: string, more?: Readonly<Record<string, unknown>>): Promise<WireAnswer>
  /** Exchanges a task token for a grant. */
  exchange(taskToken: string, call: WireCall, proof?: Partial<ProofWish>): Promise<WireAnswer>
  end(token: string, reason?: string): Promise<WireAnswer>
  proof(wish: Omit<ProofWish, 'now'> & { readonly now?: number }): string
}

export function wireAgent({ issuer, identity, fetch, clock, key = testKey() }: WireAgentOptions): WireAgent {
  const proof: WireAgent['proof'] = (wish) => makeProof(key, { now: clock(), ...wish })

  async function post(path: string, form: Readonly<Record<string, string>>, wish: Partial<ProofWish> = {}) {
    const url = `${issuer}${path}`
    const body = new URLSearchParams(form).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      dpop: proof({ method: 'POST', url, body, ...wish }),
    }
    return answerOf(await fetch(new Request(url, { method: 'POST', headers, body })))
  }

  return {
    key,
    post,
    proof,
    async open(purpose, more = {}) {
      return post('/token', {
        grant_type: GRANT_TYPE.clientCredentials,
        resource: issuer,
        client_id: identity.clientId,
        client_assertion_type: CLIENT_ASSERTION_TYPE[identity.type === 'jwt-spiffe' ? 'jwtSpiffe' : 'jwtBearer'],
        client_assertion: await identity.assertion(issuer),
        authorization_details: JSON.stringify([{ type: DETAIL_TYPE.task, purpose, ...more }]),
      })
    },
    exchange(taskToken, { audience, action, resource, parameters = {}, entry, form }, wish) {
      const detail = { locations: [audience], actions: [action], identifier: resource, parameters, ...entry }
      const honest = {
        grant_type: GRANT_TYPE.tokenExchange,
        subject_token: taskToken,
        subject_token_type: TOKEN_TYPE_URI.accessToken,
        resource: audience,
        authorization_details: JSON.stringify([{ type: DETAIL_TYPE.toolCall, ...detail }]),
      }
      return post('/token', { ...honest, ...form }, wish)
    },
    end: (token, reason) => post('/revoke', { token, ...(reason === undefined ? {} : { reason }) }),
  }
}

/** A response read to its end; what is not a JSON object reads as an empty one. */
export async function answerOf(response: Response): Promise<WireAnswer> {
  const { status, headers } = response
  const text = await response.text()
  try {
    const body: unknown = JSON.parse(text)
    return { status, headers, body: (typeof body === 'object' && body !== null ? body : {}) as WireAnswer['body'] }
  } catch {
    return { status, headers, body: {} }
  }
}
