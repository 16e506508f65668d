import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose'
import { newJwks } from '../desk/new-key.ts'
import type { DeskSetup } from '../desk/setup.ts'

/**
 * A workload that speaks the wire by hand, with jose and fetch alone, because an attacker does not use our client.
 * It is honest unless an attack tells it to lie.
 */
export interface Key {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  readonly jkt: string
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface ProofOptions {
  readonly method: string
  readonly url: string
  readonly token?: string
  readonly body?: string
  readonly query?: string
  readonly claims?: Record<string, unknown>
}

export interface ToolCall {
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly parameters?: Record<string, unknown>
}

export const newKey = async (): Promise<Key> => {
  const { privateJwk, publicJwk: jwk } = newJwks()
  const privateKey = (await importJWK(privateJwk, 'ES256')) as CryptoKey
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

const digest = (data: string): string => `sha-256=:${createHash('sha256').update(data).digest('base64')}:`
const ath = (token: string): string => createHash('sha256').update(token).digest('base64url')

export const makeProof = (key: Key, options: ProofOptions): Promise<string> =>
  new SignJWT({
    jti: randomUUID(),
    htm: options.method,
    htu: options.url,
    iat: Math.floor(Date.now() / 1000),
    ...(options.token === undefined ? {} : { ath: ath(options.token) }),
    ...(options.body === undefined ? {} : { content_digest: digest(options.body) }),
    ...(options.query === undefined ? {} : { query_digest: digest(options.query) }),
    ...options.claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
    .sign(key.privateKey)

/** An RFC 7523 client assertion signed with a registered key. */
export const makeAssertion = async (clientId: string, key: JWK, audience: string): Promise<string> =>
  new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key, 'ES256'))

/** Posts a form to one of the broker's endpoints, with a proof by this key. */
const form = async (url: string, key: Key, fields: Record<string, string>): Promise<Answer> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { DPoP: await makeProof(key, { method: 'POST', url }) },
    body: new URLSearchParams(fields),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

export class Workload {
  readonly setup: DeskSetup
  readonly clientId: string
  readonly assertion: () => Promise<string>
  readonly key: Key

  constructor(setup: DeskSetup, who: Pick<Workload, 'clientId' | 'assertion' | 'key'>) {
    this.setup = setup
    this.clientId = who.clientId
    this.assertion = who.assertion
    this.key = who.key
  }

  async open(purpose: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return form(`${this.setup.broker}/token`, this.key, {
      grant_type: 'client_credentials',
      resource: this.setup.broker,
      client_id: this.clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await this.assertion(),
      authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', purpose, ...more }]),
    })
  }

  /** The task token, or a stop with what the broker said. */
  async task(purpose: string, more?: Record<string, unknown>): Promise<string> {
    return tokenOf(await this.open(purpose, more))
  }

  ask(task: string, call: ToolCall): Promise<Answer> {
    return form(`${this.setup.broker}/token`, this.key, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: task,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: call.audience,
      authorization_details: JSON.stringify([
        {
          type: 'urn:hallpass:tool-call',
          locations: [call.audience],
          actions: [call.action],
          identifier: call.resource,
          parameters: call.parameters ?? {},
        },
      ]),
    })
  }

  async grant(task: string, call: ToolCall): Promise<string> {
    return tokenOf(await this.ask(task, call))
  }

  revoke(token: string, reason?: string): Promise<Answer> {
    return form(`${this.setup.broker}/revoke`, this.key, { token, ...(reason === undefined ? {} : { reason }) })
  }
}

export const tokenOf = (answer: Answer): string => {
  const token = answer.body['access_token']
  if (typeof token !== 'string') throw new Error(`The broker refused: ${JSON.stringify(answer.body)}`)
  return token
}

/** The operator's stop button, over the wire. */
export const operatorRevoke = async (
  setup: DeskSetup,
  operatorKey: JWK,
  target: Record<string, unknown>,
): Promise<Answer> => {
  const key = await newKey()
  const token = tokenOf(
    await form(`${setup.broker}/token`, key, {
      grant_type: 'client_credentials',
      resource: setup.broker,
      client_id: 'operator',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await makeAssertion('operator', operatorKey, setup.broker),
    }),
  )
  const url = `${setup.broker}/revocations`
  const body = JSON.stringify({ target, reason: 'drill' })
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `DPoP ${token}`,
      DPoP: await makeProof(key, { method: 'POST', url, token, body }),
      'content-type': 'application/json',
    },
    body,
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
