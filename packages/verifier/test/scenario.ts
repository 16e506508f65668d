import type { RefusalReason } from '@hallpass/core'
import type { RawRequest } from './raw-request.ts'
import type { GrantWish, KeyPair, ProofWish, TestIssuer } from './test-issuer.ts'
import { AUDIENCE, newKeyPair } from './test-issuer.ts'

export interface Scenario {
  readonly name: string
  readonly send: (issuer: TestIssuer) => RawRequest
  readonly status: number
  /** Last part of the problem type; absent where the handler runs. */
  readonly problem?: string
  /** Error code of the challenge; absent where there is no challenge, '' for one without a code. */
  readonly error?: string
  readonly reason?: RefusalReason
}

export interface Wish {
  readonly token?: string
  readonly grant?: GrantWish
  readonly proof?: ProofWish
  readonly proofBy?: KeyPair
  readonly request?: RawRequest
  /** Header fields instead of the usual three. */
  readonly headers?: (token: string, proof: string) => readonly string[]
}

export const REFUND = '{"amount":"42.00"}'
export const stranger = newKeyPair()

export const credentials = (token: string, proof: string): string[] => ['authorization', `DPoP ${token}`, 'dpop', proof]
export const json = ['content-type', 'application/json']

/** GET /orders/123 with a grant for exactly that, and one thing changed. */
export const read = (issuer: TestIssuer, wish: Wish = {}): RawRequest => {
  const token = wish.token ?? issuer.grant({ action: 'order.read', ...wish.grant })
  const proof = issuer.proof({ token, ...wish.proof }, wish.proofBy)
  return { target: '/orders/123', headers: (wish.headers ?? credentials)(token, proof), ...wish.request }
}

/** POST /orders/123/refund with a body, and one thing changed. */
export const refund = (issuer: TestIssuer, wish: Wish & { readonly body?: string } = {}): RawRequest => {
  const { body = REFUND } = wish
  const token = wish.token ?? issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' }, ...wish.grant })
  const proof = issuer.proof(
    { method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body, ...wish.proof },
    wish.proofBy,
  )
  const headers = (wish.headers ?? ((t, p) => [...credentials(t, p), ...json]))(token, proof)
  return { method: 'POST', target: '/orders/123/refund', headers, body, ...wish.request }
}

export const search = (issuer: TestIssuer, wish: Wish & { readonly query?: string } = {}): RawRequest => {
  const { query = 'status=open' } = wish
  const token = issuer.grant({
    action: 'order.search',
    resource: 'customer:7',
    parameters: { status: 'open' },
    ...wish.grant,
  })
  const proof = issuer.proof({ url: `${AUDIENCE}/customers/7/orders`, token, query, ...wish.proof })
  return { target: `/customers/7/orders?${query}`, headers: credentials(token, proof), ...wish.request }
}

export const passes = (name: string, send: Scenario['send']): Scenario => ({ name, send, status: 200 })
export const refuses = (name: string, expected: Omit<Scenario, 'name' | 'send'>, send: Scenario['send']): Scenario => ({
  name,
  send,
  ...expected,
})

export const MISSING = { status: 401, problem: 'credentials-missing', error: '', reason: 'credential-missing' } as const
export const MALFORMED = {
  status: 400,
  problem: 'request-malformed',
  error: 'invalid_request',
  reason: 'credential-malformed',
} as const
export const invalid = (reason: RefusalReason) =>
  ({ status: 401, problem: 'grant-invalid', error: 'invalid_token', reason }) as const
export const binding = {
  status: 401,
  problem: 'binding-failed',
  error: 'invalid_token',
  reason: 'binding-failed',
} as const
export const badProof = (reason: RefusalReason) =>
  ({ status: 401, problem: 'proof-invalid', error: 'invalid_dpop_proof', reason }) as const
export const notGranted = (reason: RefusalReason) =>
  ({ status: 403, problem: 'not-granted', error: 'insufficient_authorization_details', reason }) as const
export const malformed = (reason: RefusalReason) => ({ status: 400, problem: 'request-malformed', reason }) as const

export const limits = [{ id: 'calls', per: 'grant', max: 5 }] as const
