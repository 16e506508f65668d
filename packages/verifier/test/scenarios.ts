import { createHash } from 'node:crypto'
import type { RefusalReason } from '@hallpass/core'
import type { RawRequest } from './raw-request.ts'
import type { GrantWish, KeyPair, ProofWish, TestIssuer } from './test-issuer.ts'
import { AUDIENCE, NOW, newKeyPair, signJws } from './test-issuer.ts'

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

interface Wish {
  readonly token?: string
  readonly grant?: GrantWish
  readonly proof?: ProofWish
  readonly proofBy?: KeyPair
  readonly request?: RawRequest
  /** Header fields instead of the usual three. */
  readonly headers?: (token: string, proof: string) => readonly string[]
}

const REFUND = '{"amount":"42.00"}'
const stranger = newKeyPair()

const credentials = (token: string, proof: string): string[] => ['authorization', `DPoP ${token}`, 'dpop', proof]
const json = ['content-type', 'application/json']

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
  const proof = issuer.proof({ method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body, ...wish.proof }, wish.proofBy)
  const headers = (wish.headers ?? ((t, p) => [...credentials(t, p), ...json]))(token, proof)
  return { method: 'POST', target: '/orders/123/refund', headers, body, ...wish.request }
}

const search = (issuer: TestIssuer, wish: Wish & { readonly query?: string } = {}): RawRequest => {
  const { query = 'status=open' } = wish
  const token = issuer.grant({ action: 'order.search', resource: 'customer:7', parameters: { status: 'open' }, ...wish.grant })
  const proof = issuer.proof({ url: `${AUDIENCE}/customers/7/orders`, token, query, ...wish.proof })
  return { target: `/customers/7/orders?${query}`, headers: credentials(token, proof), ...wish.request }
}

const passes = (name: string, send: Scenario['send']): Scenario => ({ name, send, status: 200 })
const refuses = (name: string, expected: Omit<Scenario, 'name' | 'send'>, send: Scenario['send']): Scenario => ({ name, send, ...expected })

const MISSING = { status: 401, problem: 'credentials-missing', error: '', reason: 'credential-missing' } as const
const MALFORMED = { status: 400, problem: 'request-malformed', error: 'invalid_request', reason: 'credential-malformed' } as const
const invalid = (reason: RefusalReason) => ({ status: 401, problem: 'grant-invalid', error: 'invalid_token', reason }) as const
const binding = { status: 401, problem: 'binding-failed', error: 'invalid_token', reason: 'binding-failed' } as const
const badProof = (reason: RefusalReason) => ({ status: 401, problem: 'proof-invalid', error: 'invalid_dpop_proof', reason }) as const
const notGranted = (reason: RefusalReason) =>
  ({ status: 403, problem: 'not-granted', error: 'insufficient_authorization_details', reason }) as const
const malformed = (reason: RefusalReason) => ({ status: 400, problem: 'request-malformed', reason }) as const

const limits = [{ id: 'calls', per: 'grant', max: 5 }] as const

export const passing: readonly Scenario[] = [
  passes('a read with its grant', (issuer) => read(issuer)),
  passes('a write whose body the grant fixes', (issuer) => refund(issuer)),
  passes('a chunked body', (issuer) => refund(issuer, { request: { chunked: true } })),
  passes('a body with white space, since the digest is over what it means', (issuer) => refund(issuer, { body: '{ "amount" : "42.00" }' })),
  passes('a class grant for one of its resources', (issuer) => read(issuer, { grant: { resource: 'order:*', limits } })),
  passes('a query the grant fixes, without a query digest in the proof', (issuer) => search(issuer, { proof: { query: undefined } })),
  passes('a query under constraints, bound by the proof', (issuer) =>
    search(issuer, { grant: { constraints: { status: { one_of: ['open'] } } } }),
  ),
  passes('a route parameter that is a parameter', (issuer) => {
    const body = '{"quantity":2}'
    const token = issuer.grant({ action: 'item.update', constraints: { item: { equals: 'a' }, quantity: { any: true } } })
    const proof = issuer.proof({ method: 'PATCH', url: `${AUDIENCE}/orders/123/items/a`, token, body })
    return { method: 'PATCH', target: '/orders/123/items/a', headers: [...credentials(token, proof), ...json], body }
  }),
  passes('an absolute-form request line with another host, which decides nothing', (issuer) =>
    read(issuer, { request: { target: 'http://evil.example/orders/123' } }),
  ),
  passes('a scheme in other letter case', (issuer) =>
    read(issuer, { headers: (token, proof) => ['Authorization', `dpop ${token}`, 'DPoP', proof] }),
  ),
  passes('application/at+jwt as type', (issuer) => read(issuer, { grant: { header: { typ: 'application/at+jwt' } } })),
  passes('a +json body', (issuer) =>
    refund(issuer, { headers: (t, p) => [...credentials(t, p), 'content-type', 'application/merge-patch+json; charset="UTF-8"'] }),
  ),
  passes('a Content-Digest field that agrees', (issuer) =>
    refund(issuer, {
      headers: (t, p) => [...credentials(t, p), ...json, 'content-digest', `sha-256=:${createHash('sha256').update(REFUND).digest('base64')}:`],
    }),
  ),
]

/** Step by step in the order of the flow: the way around each, and where it ends. */
export const refused: readonly Scenario[] = [
  // one credential
  refuses('no credential', MISSING, () => ({ target: '/orders/123' })),
  refuses('another scheme', MISSING, () => ({ target: '/orders/123', headers: ['authorization', 'Basic dTpw'] })),
  refuses('a proof without a token', MALFORMED, (issuer) => read(issuer, { headers: (_, proof) => ['dpop', proof] })),
  refuses('two Authorization fields', MALFORMED, (issuer) =>
    read(issuer, { headers: (token, proof) => [...credentials(token, proof), 'authorization', `DPoP ${token}`] }),
  ),
  refuses('a second Authorization field of another scheme', MALFORMED, (issuer) =>
    read(issuer, { headers: (token, proof) => [...credentials(token, proof), 'Authorization', 'Basic dTpw'] }),
  ),
  refuses('two DPoP fields', badProof('proof-malformed'), (issuer) =>
    read(issuer, { headers: (token, proof) => [...credentials(token, proof), 'DPoP', proof] }),
  ),
  refuses('two proofs in one field', badProof('proof-malformed'), (issuer) =>
    read(issuer, { headers: (token, proof) => ['authorization', `DPoP ${token}`, 'dpop', `${proof}, ${proof}`] }),
  ),
  refuses('two tokens in one field', MALFORMED, (issuer) =>
    read(issuer, { headers: (token, proof) => ['authorization', `DPoP ${token}, DPoP ${token}`, 'dpop', proof] }),
  ),
  refuses('a token in the query', MALFORMED, (issuer) =>
    read(issuer, { request: { target: `/orders/123?access_token=${issuer.grant()}` }, headers: () => [] }),
  ),
  refuses('a token in the query under an encoded name, beside good credentials', MALFORMED, (issuer) =>
    read(issuer, { request: { target: '/orders/123?acc%65ss_token=x' } }),
  ),
  refuses('a token in a form body', { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' }, (issuer) =>
    refund(issuer, { body: 'access_token=x', headers: (t, p) => [...credentials(t, p), 'content-type', 'application/x-www-form-urlencoded'] }),
  ),
  refuses('no proof', badProof('proof-missing'), (issuer) => read(issuer, { headers: (token) => ['authorization', `DPoP ${token}`] })),
  refuses('a bound grant as Bearer', binding, (issuer) => read(issuer, { headers: (token) => ['authorization', `Bearer ${token}`] })),
  refuses('a bound grant as Bearer, with its proof', MALFORMED, (issuer) =>
    read(issuer, { headers: (token, proof) => ['authorization', `Bearer ${token}`, 'dpop', proof] }),
  ),

  // strict preflight
  refuses('something that is no token', invalid('token-malformed'), (issuer) => read(issuer, { token: 'a.b.c' })),
  refuses('padding', invalid('token-malformed'), (issuer) => read(issuer, { token: `${issuer.grant({ action: 'order.read' })}=` })),
  refuses('a signature with stray trailing bits', invalid('token-malformed'), (issuer) => read(issuer, { token: strayBits(issuer.grant()) })),
  refuses('a duplicate member', invalid('token-malformed'), (issuer) => read(issuer, { token: duplicateMember(issuer) })),
  refuses('alg none', invalid('token-algorithm'), (issuer) => read(issuer, { grant: { header: { alg: 'none' } } })),
  refuses('a symmetric algorithm', invalid('token-algorithm'), (issuer) => read(issuer, { grant: { header: { alg: 'HS256' } } })),
  refuses('another type', invalid('token-type'), (issuer) => read(issuer, { grant: { header: { typ: 'JWT' } } })),
  refuses('a type in other letter case', invalid('token-type'), (issuer) => read(issuer, { grant: { header: { typ: 'AT+JWT' } } })),
  refuses('a key in the header', invalid('token-malformed'), (issuer) => read(issuer, { grant: { header: { jwk: stranger.publicJwk } } })),
  refuses('crit', invalid('token-malformed'), (issuer) => read(issuer, { grant: { header: { crit: ['x'], x: 1 } } })),

  // cheap claims
  refuses('another issuer', invalid('issuer-unknown'), (issuer) => read(issuer, { grant: { claims: { iss: 'https://evil.example' } } })),
  refuses('another audience', invalid('audience-mismatch'), (issuer) => read(issuer, { grant: { claims: { aud: 'https://other.example' } } })),
  refuses('two audiences', invalid('token-claims'), (issuer) => read(issuer, { grant: { claims: { aud: [AUDIENCE, 'https://other.example'] } } })),
  refuses('no audience', invalid('token-claims'), (issuer) => read(issuer, { grant: { claims: { aud: undefined } } })),
  refuses('an expired token', invalid('token-expired'), (issuer) => read(issuer, { grant: { claims: { iat: NOW - 60, exp: NOW - 1 } } })),
  refuses('a token in the very second it expires', invalid('token-expired'), (issuer) => read(issuer, { grant: { claims: { exp: NOW } } })),
  refuses('a token without an end', invalid('token-claims'), (issuer) => read(issuer, { grant: { claims: { exp: undefined } } })),
  refuses('an end as text', invalid('token-claims'), (issuer) => read(issuer, { grant: { claims: { exp: String(NOW + 50) } } })),
  refuses('a token from the future', invalid('not-yet-valid'), (issuer) => read(issuer, { grant: { claims: { iat: NOW + 6 } } })),
  refuses('a life over the cap', invalid('lifetime-exceeded'), (issuer) => read(issuer, { grant: { claims: { exp: NOW + 901 } } })),
  refuses('an entry for another audience', invalid('token-claims'), (issuer) =>
    read(issuer, { grant: { entry: { locations: ['https://other.example'] } } }),
  ),
  refuses('a task token', invalid('audience-mismatch'), (issuer) => read(issuer, { grant: { claims: { aud: issuer.issuer } } })),

  // signature
  refuses('another key under a known key id', invalid('token-signature'), (issuer) =>
    read(issuer, { token: signJws({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' }, issuer.grantClaims(), stranger.privateKey) }),
  ),
  refuses('a key id the issuer has not', invalid('token-key-unknown'), (issuer) => read(issuer, { grant: { header: { kid: 'key-9' } } })),
  refuses('no key id', invalid('token-key-unknown'), (issuer) => read(issuer, { grant: { header: { kid: undefined } } })),
  refuses('a payload under the signature of another', invalid('token-signature'), (issuer) => {
    const [, , signature] = issuer.grant().split('.')
    const [header, payload] = issuer.grant({ action: 'order.read', resource: 'order:*' }).split('.')
    return read(issuer, { token: `${header}.${payload}.${signature}` })
  }),

  // key binding
  refuses('a grant without a key under DPoP', binding, (issuer) => read(issuer, { grant: { unbound: true } })),
  refuses('a proof by another key', binding, (issuer) => read(issuer, { proofBy: stranger })),

  // proof
  refuses('a proof signed by another key than it names', badProof('proof-signature'), (issuer) =>
    read(issuer, { proof: { signWith: stranger.privateKey } }),
  ),
  refuses('a proof for another method', badProof('proof-method'), (issuer) => read(issuer, { proof: { method: 'POST' } })),
  refuses('a proof for another path', badProof('proof-url'), (issuer) => read(issuer, { proof: { url: `${AUDIENCE}/orders/124` } })),
  refuses('a proof for the host in the Host field', badProof('proof-url'), (issuer) =>
    read(issuer, { proof: { url: 'http://127.0.0.1/orders/123' } }),
  ),
  refuses('a proof for the host in the request line', badProof('proof-url'), (issuer) =>
    read(issuer, { proof: { url: 'http://evil.example/orders/123' }, request: { target: 'http://evil.example/orders/123' } }),
  ),
  refuses('a proof whose URL has a query', badProof('proof-url'), (issuer) => read(issuer, { proof: { url: `${AUDIENCE}/orders/123?a=b` } })),
  refuses('a proof that is too old', badProof('proof-time'), (issuer) => read(issuer, { proof: { claims: { iat: NOW - 61 } } })),
  refuses('a proof from the future', badProof('proof-time'), (issuer) => read(issuer, { proof: { claims: { iat: NOW + 6 } } })),
  refuses('a proof for another token', badProof('proof-token'), (issuer) => read(issuer, { proof: { token: issuer.grant() } })),
  refuses('a proof without a token digest', badProof('proof-token'), (issuer) => read(issuer, { proof: { claims: { ath: undefined } } })),
  refuses('a proof with another type', badProof('proof-malformed'), (issuer) => read(issuer, { proof: { header: { typ: 'jwt' } } })),
  refuses('another body than was proven', badProof('proof-body'), (issuer) => refund(issuer, { proof: { body: '{"amount":"41.00"}' } })),
  refuses('a body without a digest in the proof', badProof('proof-body'), (issuer) =>
    refund(issuer, { proof: { claims: { content_digest: undefined } } }),
  ),
  refuses('a body digest for a request without a body', badProof('proof-body'), (issuer) =>
    refund(issuer, { request: { body: undefined } }),
  ),
  refuses('a Content-Digest field that does not agree', badProof('proof-body'), (issuer) =>
    refund(issuer, { headers: (t, p) => [...credentials(t, p), ...json, 'content-digest', 'sha-256=:AAAA:'] }),
  ),
  refuses('a query under constraints that the proof does not bind', badProof('proof-query'), (issuer) =>
    search(issuer, { grant: { constraints: { status: { any: true } } }, proof: { query: undefined } }),
  ),
  refuses('another query than was proven', badProof('proof-query'), (issuer) => search(issuer, { proof: { query: 'status=closed' } })),

  // body and target
  refuses('a body that is not JSON', { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' }, (issuer) =>
    refund(issuer, { headers: (t, p) => [...credentials(t, p), 'content-type', 'text/plain'] }),
  ),
  refuses('a body without a type', { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' }, (issuer) =>
    refund(issuer, { headers: credentials }),
  ),
  refuses('an encoded body', { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' }, (issuer) =>
    refund(issuer, { headers: (t, p) => [...credentials(t, p), ...json, 'content-encoding', 'gzip'] }),
  ),
  refuses('a body over the limit', { status: 413, problem: 'body-too-large', reason: 'body-too-large' }, (issuer) =>
    refund(issuer, { body: JSON.stringify({ amount: '42.00', note: 'x'.repeat(5000) }) }),
  ),
  refuses('a chunked body over the limit', { status: 413, problem: 'body-too-large', reason: 'body-too-large' }, (issuer) =>
    refund(issuer, { body: JSON.stringify({ amount: '42.00', note: 'x'.repeat(5000) }), request: { chunked: true } }),
  ),
  refuses('a duplicate member in the body', malformed('request-malformed'), (issuer) =>
    refund(issuer, { body: '{"amount":"1.00","amount":"42.00"}' }),
  ),
  refuses('an array as body', malformed('parameters-invalid'), (issuer) => refund(issuer, { body: '[]' })),
  refuses('an encoded slash in the path', malformed('request-malformed'), (issuer) => read(issuer, { request: { target: '/orders/1%2F23' } })),
  refuses('a repeated Content-Type', malformed('request-malformed'), (issuer) =>
    refund(issuer, { headers: (t, p) => [...credentials(t, p), ...json, 'idempotency-key', 'a', 'idempotency-key', 'b'] }),
  ),

  // action, resource, parameters
  refuses('another action', notGranted('action-mismatch'), (issuer) => read(issuer, { grant: { action: 'refund.create' } })),
  refuses('another resource', notGranted('resource-mismatch'), (issuer) => read(issuer, { grant: { resource: 'order:124' } })),
  refuses('a resource whose id begins the same', notGranted('resource-mismatch'), (issuer) => read(issuer, { grant: { resource: 'order:12' } })),
  refuses('a resource of another kind', notGranted('resource-mismatch'), (issuer) => read(issuer, { grant: { resource: 'customer:*' } })),
  refuses('another amount, proven by the holder', notGranted('parameters-mismatch'), (issuer) => refund(issuer, { body: '{"amount":"420.00"}' })),
  refuses('an amount of another type', notGranted('parameters-mismatch'), (issuer) => refund(issuer, { body: '{"amount":42}' })),
  refuses('a parameter more', notGranted('parameters-mismatch'), (issuer) => refund(issuer, { body: '{"amount":"42.00","note":"x"}' })),
  refuses('a parameter less', notGranted('parameters-mismatch'), (issuer) => refund(issuer, { request: { body: undefined }, proof: { body: undefined } })),
  refuses('an amount over its constraint', notGranted('constraint-failed'), (issuer) =>
    refund(issuer, { grant: { constraints: { amount: { max: '41.99' } } } }),
  ),
  refuses('an amount that is only smaller as a string', notGranted('constraint-failed'), (issuer) =>
    refund(issuer, { body: '{"amount":"100.00"}', grant: { constraints: { amount: { max: '42.00' } } } }),
  ),
  refuses('a parameter no constraint names', malformed('parameters-invalid'), (issuer) =>
    refund(issuer, { body: '{"amount":"42.00","note":"x"}', grant: { constraints: { amount: { any: true } } } }),
  ),
  refuses('a parameter the action does not know', malformed('parameters-invalid'), (issuer) =>
    refund(issuer, { body: '{"amount":"42.00","to":"me"}', grant: { constraints: { amount: { any: true }, to: { any: true } } } }),
  ),
  refuses('an amount the schema refuses, under constraints that let it pass', malformed('parameters-invalid'), (issuer) =>
    refund(issuer, { body: '{"amount":"4.2e1"}', grant: { constraints: { amount: { any: true } } } }),
  ),
  refuses('a body member in the query too', malformed('parameters-invalid'), (issuer) =>
    refund(issuer, { request: { target: '/orders/123/refund?amount=42.00' } }),
  ),
  refuses('a query the action does not know', malformed('parameters-invalid'), (issuer) =>
    read(issuer, { request: { target: '/orders/123?verbose=1' } }),
  ),
  refuses('a query member twice', malformed('request-malformed'), (issuer) => search(issuer, { query: 'status=open&status=closed' })),
  refuses('HEAD with a grant for GET', notGranted('action-mismatch'), (issuer) =>
    read(issuer, { request: { method: 'HEAD' }, proof: { method: 'HEAD' } }),
  ),
]

/** Changes bits of the last character that no decoder looks at. */
function strayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  return token.slice(0, -1) + (alphabet[last ^ 1] ?? 'A')
}

function duplicateMember(issuer: TestIssuer): string {
  const text = JSON.stringify(issuer.grantClaims())
  return signJws({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' }, `${text.slice(0, -1)},"sub":"other"}`, issuer.signing.privateKey)
}
