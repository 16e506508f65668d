import {
  decimal,
  defineApi,
  memoryLedger,
  memoryTrail,
  privateKeyJwt,
  type AuditEvent,
  type Ledger,
  type MemoryTrail,
  type RedeemRequest,
} from '@hallpass/core'
import { definePolicy, defaultTriggers } from '@hallpass/policy'
import { z } from 'zod'
import { createBroker, type Broker } from '../src/broker.ts'
import type { BrokerOptions } from '../src/options.ts'
import { generateSigningKeys } from '../src/token/signing-keys.ts'
import { assertion, keyPair, prove, type KeyPair } from './holder.ts'

export const ISSUER = 'https://broker.test'
export const ORDERS = 'https://orders.test'
export const STOCK = 'https://stock.test'
export const START = 1_795_300_000

/** Keys of the workloads that the policy and the broker register. */
export const workloads = {
  'support-bot': keyPair(),
  'other-bot': keyPair(),
  'orders-api': keyPair(),
  'stock-api': keyPair(),
  root: keyPair(),
}
export type Workload = keyof typeof workloads

export const identityOf = (name: Workload, subject: string = name) =>
  privateKeyJwt({ audience: ISSUER, subject, jwks: { keys: [{ ...workloads[name].publicJwk, kid: name }] } })

export const orders = defineApi({
  audience: ORDERS,
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.strictObject({ amount: decimal(), reason: z.string().optional() }),
    },
    'order.delete': { route: 'DELETE /orders/{id}', resource: 'order:{id}', risk: 'critical' },
  },
})

export const stock = defineApi({
  audience: STOCK,
  actions: {
    'stock.reserve': {
      route: 'POST /stock/{sku}/reservations',
      resource: 'stock:{sku}',
      risk: 'write',
      parameters: z.strictObject({ quantity: decimal({ scale: 0 }) }),
    },
  },
})

export const policy = definePolicy({
  api: [orders, stock],
  version: '7',
  purposes: ['support-ticket', 'restock'],
  agents: {
    'support-bot': {
      owner: 'team:support',
      identity: identityOf('support-bot'),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
      maxOpenTasks: 3,
      maxTaskSeconds: 600,
    },
    'other-bot': {
      owner: 'team:stock',
      identity: identityOf('other-bot'),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
      purposes: ['restock'],
    },
  },
  rules: [
    {
      id: 'read-orders',
      action: 'order.read',
      effect: 'permit',
      purposes: ['support-ticket'],
      limits: { calls: 5 },
      grant: { resource: 'class' },
    },
    {
      id: 'small-refund',
      action: 'refund.create',
      effect: 'permit',
      purposes: ['support-ticket'],
      when: (r) => r.parameters.amount.lte('50.00'),
      limits: { calls: 1, ttlSeconds: 30, totals: { amount: '80.00' } },
    },
    { id: 'large-refund', action: 'refund.create', effect: 'approve', when: (r) => r.parameters.amount.gt('100.00') },
    {
      id: 'reserve',
      action: 'stock.reserve',
      effect: 'permit',
      limits: { calls: 2, task: { totals: { quantity: '10' } } },
      grant: { parameters: { quantity: { max: '3' } } },
    },
  ],
})

export interface RigOptions extends Partial<Omit<BrokerOptions, 'clock' | 'audit'>> {
  readonly audit?: MemoryTrail
  readonly wrapLedger?: (ledger: Ledger) => Ledger
}

/** Members that tests read by name; the wire decides which are there. */
export interface WireBody {
  readonly [member: string]: unknown
  readonly access_token: string
  readonly txn: string
  readonly error: string
  readonly event: string
  readonly text: string
}

export interface Wired {
  readonly status: number
  readonly headers: Headers
  readonly body: WireBody
}

const isKeyPair = (value: object): value is KeyPair => 'privateKey' in value

/** A broker on a fixed clock, and everything a test does to it over its one door. */
export function rig(options: RigOptions = {}) {
  const { wrapLedger = (ledger) => ledger, ...rest } = options
  const time = { now: START }
  const clock = (): number => time.now
  const trail = options.audit ?? memoryTrail()
  const ledger = wrapLedger(options.ledger ?? memoryLedger({ exactFor: 'one-process', clock }))
  const broker: Broker = createBroker({
    issuer: ISSUER,
    policy,
    keys: generateSigningKeys(),
    sweepSeconds: 0,
    apis: [{ id: 'orders-api', api: orders, identity: identityOf('orders-api') }],
    operators: [{ id: 'root', identity: identityOf('root') }],
    ...rest,
    ledger,
    clock,
    audit: trail,
  })

  async function send(path: string, init: RequestInit = {}): Promise<Wired> {
    const response = await broker.fetch(new Request(`${ISSUER}${path}`, init))
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } }
  }

  /** Posts a form with a fresh proof by this key, or with the headers given. */
  function post(path: string, form: Record<string, string> | string, by: KeyPair | Record<string, string>) {
    const url = `${ISSUER}${path}`
    const headers = isKeyPair(by) ? { dpop: prove(by, { url, iat: time.now }) } : by
    return send(path, {
      method: 'POST',
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  }

  /** The form members that authenticate a workload. */
  const asClient = (name: Workload, claims: object = {}): Record<string, string> => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(workloads[name], { sub: name, aud: ISSUER, now: time.now, claims }),
  })

  const taskForm = (entry: object = {}, name: Workload = 'support-bot'): Record<string, string> => ({
    ...asClient(name),
    grant_type: 'client_credentials',
    resource: ISSUER,
    authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', purpose: 'support-ticket', ...entry }]),
  })

  const open = (pair: KeyPair, entry: object = {}, name: Workload = 'support-bot') =>
    post('/token', taskForm(entry, name), pair)

  const callForm = (taskToken: string, entry: object = {}): Record<string, string> => ({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: taskToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: ORDERS,
    authorization_details: JSON.stringify([
      {
        type: 'urn:hallpass:tool-call',
        locations: [ORDERS],
        actions: ['refund.create'],
        identifier: 'order:123',
        parameters: { amount: '42.00' },
        ...entry,
      },
    ]),
  })

  const exchange = (pair: KeyPair, taskToken: string, entry: object = {}) =>
    post('/token', callForm(taskToken, entry), pair)

  /** A caller token for an API or operator, and a function that posts JSON with it. */
  async function caller(name: Workload, pair: KeyPair = keyPair()) {
    const answer = await post('/token', { ...asClient(name), grant_type: 'client_credentials', resource: ISSUER }, pair)
    const token = answer.body.access_token
    const json = (path: string, value: unknown, change: { body?: string; proof?: string; token?: string } = {}) => {
      const body = typeof value === 'string' ? value : JSON.stringify(value)
      const accessToken = change.token ?? token
      const proof = change.proof ?? prove(pair, { url: `${ISSUER}${path}`, iat: time.now, accessToken, body })
      return send(path, {
        method: 'POST',
        body: change.body ?? body,
        headers: { 'content-type': 'application/json', authorization: `DPoP ${accessToken}`, dpop: proof },
      })
    }
    return { answer, token, pair, json }
  }

  const events = (type?: AuditEvent['type']) => trail.events(type === undefined ? {} : { type })

  return {
    broker,
    ledger,
    trail,
    time,
    clock,
    send,
    post,
    asClient,
    taskForm,
    open,
    callForm,
    exchange,
    caller,
    events,
  }
}

export const claimsOf = (
  token: string,
): { readonly [claim: string]: unknown; readonly jti: string; readonly txn: string } =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** What an API's verifier asks the ledger for one use of a grant from `rig()`. */
export function redeemRequest(
  grant: string,
  use: { pair: KeyPair; attempt: string; amounts?: Record<string, number> },
): RedeemRequest {
  const { pair, attempt, amounts = { amount: 4200 } } = use
  const claims = claimsOf(grant)
  const [entry] = claims['authorization_details'] as [{ actions: [string]; identifier: string }]
  return {
    attempt,
    audience: String(claims['aud']),
    issuer: ISSUER,
    jti: claims.jti,
    txn: claims.txn,
    clientId: 'support-bot',
    iat: Number(claims['iat']),
    exp: Number(claims['exp']),
    action: entry.actions[0],
    resource: entry.identifier.replace('*', '123'),
    source: 'registered',
    limits: [],
    amounts,
    proof: {
      jkt: pair.jkt,
      jti: `proof of ${attempt}`,
      iat: Number(claims['iat']),
      acceptUntil: Number(claims['iat']) + 60,
    },
    event: `ev_${attempt.padEnd(22, '0')}`,
  }
}
