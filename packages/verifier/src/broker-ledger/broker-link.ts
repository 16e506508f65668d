import type { JsonObject, JsonValue, SourceHead, TokenSource } from '@hallpass/core'
import {
  CLIENT_ASSERTION_TYPE,
  GRANT_TYPE,
  HallpassError,
  isIntroduction,
  keyAudience,
  parseStrictJson,
} from '@hallpass/core'
import { readLimited } from '../body/read-limited.ts'
import type { Fetch } from '../keys/remote-key-source.ts'
import type { ProofKey } from './proof-key.ts'
import { createProofKey } from './proof-key.ts'

export interface BrokerLinkOptions {
  readonly issuer: string
  readonly identity: TokenSource
  readonly fetch: Fetch
  readonly timeoutMs: number
  /** NumericDate seconds. */
  readonly clock: () => number
}

/** The way from an API to its broker: a token of its own, bound to its own key, renewed before it ends. */
export interface BrokerLink {
  /**
   * Posts JSON, with one resend after a network failure, a stale token or a nonce that was asked for.
   * @throws HallpassError `ledger-unavailable` where no answer of the broker's came back.
   */
  post(path: '/redeem' | '/audit', body: JsonValue): Promise<JsonObject>
  /** A checkpoint over a chain of this process's events, signed by the key that its requests are proven with. */
  vouch(head: SourceHead): Promise<string>
  /** What the identity of this API says of that key; undefined where it makes no assertion for such an audience. */
  introduction(): Promise<string | undefined>
  /** Opens the event stream, asking once more after a stale token or a nonce that was asked for. The answer is unread. */
  open(
    path: '/events',
    request: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<Response>
}

interface ApiToken {
  readonly token: string
  /** NumericDate from which a new one is asked for. */
  readonly renewAt: number
}

interface Answer {
  readonly status: number
  readonly json: JsonObject | undefined
  readonly nonceWanted: boolean
}

const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const RENEW_BEFORE_SECONDS = 30

export function createBrokerLink({ issuer, identity, fetch, timeoutMs, clock }: BrokerLinkOptions): BrokerLink {
  let key: Promise<ProofKey> | undefined
  let token: Promise<ApiToken> | undefined
  let nonce: string | undefined
  let introduced: Promise<string | undefined> | undefined

  const ownKey = (): Promise<ProofKey> => (key ??= createProofKey())
  /** Only what is for this key alone may leave: any other assertion is a credential. */
  const introduce = async (): Promise<string | undefined> => {
    const { jkt } = await ownKey()
    const assertion = await identity.assertion(keyAudience(jkt)).catch(() => undefined)
    return isIntroduction(assertion, jkt) ? assertion : undefined
  }

  const send = async (
    path: string,
    contentType: string,
    message: { body: string; accessToken?: string },
  ): Promise<Answer> => {
    const url = `${issuer.replace(/\/$/, '')}${path}`
    const { body, accessToken } = message
    const proof = await (await ownKey()).proof({ url, body, now: clock(), accessToken, nonce })
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': contentType,
        dpop: proof,
        ...(accessToken === undefined ? {} : { authorization: `DPoP ${accessToken}` }),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const fresh = response.headers.get('dpop-nonce') ?? undefined
    const nonceWanted = fresh !== undefined && fresh !== nonce && (response.status === 400 || response.status === 401)
    nonce = fresh ?? nonce
    const bytes = await readLimited(response, MAX_ANSWER_BYTES)
    return { status: response.status, json: bytes === undefined ? undefined : objectIn(bytes), nonceWanted }
  }

  const requestToken = async (): Promise<ApiToken> => {
    const form = async () => {
      const fields = {
        grant_type: GRANT_TYPE.clientCredentials,
        resource: issuer,
        client_id: identity.clientId,
        client_assertion_type:
          identity.type === 'jwt-spiffe' ? CLIENT_ASSERTION_TYPE.jwtSpiffe : CLIENT_ASSERTION_TYPE.jwtBearer,
        client_assertion: await identity.assertion(issuer),
      }
      return new URLSearchParams(fields).toString()
    }
    const ask = async () => send('/token', 'application/x-www-form-urlencoded', { body: await form() })
    const first = await ask()
    const { status, json } = first.nonceWanted ? await ask() : first
    const value = json?.['access_token']
    const expiresIn = json?.['expires_in']
    if (
      status !== 200 ||
      typeof value !== 'string' ||
      typeof expiresIn !== 'number' ||
      json?.['token_type'] !== 'DPoP'
    ) {
      throw unavailable(`gave this API no token (${status})`)
    }
    return { token: value, renewAt: clock() + Math.max(expiresIn - RENEW_BEFORE_SECONDS, expiresIn / 2) }
  }

  const currentToken = async (): Promise<ApiToken> => {
    const held = token === undefined ? undefined : await token.catch(() => undefined)
    if (held !== undefined && clock() < held.renewAt) return held
    const asked = requestToken()
    token = asked
    asked.catch(() => {
      if (token === asked) token = undefined
    })
    return asked
  }

  /** One token for all who wait for it. */
  let renewing: Promise<ApiToken> | undefined
  const sharedToken = async (): Promise<ApiToken> => {
    renewing ??= currentToken().finally(() => (renewing = undefined))
    return renewing
  }

  const attempt = async (path: string, body: string): Promise<Answer | undefined> => {
    try {
      const { token: accessToken } = await sharedToken()
      const answer = await send(path, 'application/json', { body, accessToken })
      if (answer.status === 401 && !answer.nonceWanted) token = undefined
      return answer
    } catch {
      return undefined
    }
  }

  const ask = async (path: string, { headers, signal }: Parameters<BrokerLink['open']>[1]): Promise<Response> => {
    const { token: accessToken } = await sharedToken()
    const url = `${issuer.replace(/\/$/, '')}${path}`
    const proof = await (await ownKey()).proof({ method: 'GET', url, now: clock(), accessToken, nonce })
    const response = await fetch(url, {
      headers: { ...headers, dpop: proof, authorization: `DPoP ${accessToken}` },
      redirect: 'error',
      signal,
    })
    const fresh = response.headers.get('dpop-nonce') ?? undefined
    if (response.status === 401 && (fresh === undefined || fresh === nonce)) token = undefined
    nonce = fresh ?? nonce
    return response
  }

  return {
    async vouch({ source, chain, seq, hash }) {
      return (await ownKey()).vouch({ source, chain, seq, hash, time: Math.floor(clock()) })
    },
    async introduction() {
      introduced ??= introduce()
      const said = await introduced
      // Asked for again the next time: the identity may have been away.
      if (said === undefined) introduced = undefined
      return said
    },
    async open(path, request) {
      const first = await ask(path, request)
      if (first.status !== 401) return first
      await first.body?.cancel()
      return ask(path, request)
    },
    async post(path, value) {
      const body = JSON.stringify(value)
      let answer = await attempt(path, body)
      // The same attempts again: the broker knows those it has seen, so a resend spends nothing twice.
      if (answer === undefined || answer.status === 401 || answer.status >= 500 || answer.nonceWanted) {
        answer = await attempt(path, body)
      }
      if (answer?.status === 200 && answer.json !== undefined) return answer.json
      throw unavailable(answer === undefined ? 'could not be reached' : `answered ${answer.status}`)
    },
  }
}

const unavailable = (what: string) =>
  new HallpassError('ledger-unavailable', `The broker ${what}; check issuer, identity and the network`)

function objectIn(bytes: Uint8Array): JsonObject | undefined {
  const parsed = parseStrictJson(bytes)
  const value = parsed.ok ? parsed.value : undefined
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}
