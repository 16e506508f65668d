import type { Scenario } from './scenario.ts'
import {
  badProof,
  binding,
  credentials,
  json,
  malformed,
  notGranted,
  read,
  refund,
  refuses,
  search,
  stranger,
} from './scenario.ts'
import { AUDIENCE, NOW } from './test-issuer.ts'

/** Proof, body and coverage, step by step in the order of the flow: the way around each step, and where it ends. */
export const badRequests: readonly Scenario[] = [
  // key binding
  refuses('a grant without a key under DPoP', binding, (issuer) => read(issuer, { grant: { unbound: true } })),
  refuses('a proof by another key', binding, (issuer) => read(issuer, { proofBy: stranger })),

  // proof
  refuses('a proof signed by another key than it names', badProof('proof-signature'), (issuer) =>
    read(issuer, { proof: { signWith: stranger.privateKey } }),
  ),
  refuses('a proof for another method', badProof('proof-method'), (issuer) =>
    read(issuer, { proof: { method: 'POST' } }),
  ),
  refuses('a proof for another path', badProof('proof-url'), (issuer) =>
    read(issuer, { proof: { url: `${AUDIENCE}/orders/124` } }),
  ),
  refuses('a proof for the host in the Host field', badProof('proof-url'), (issuer) =>
    read(issuer, { proof: { url: 'http://127.0.0.1/orders/123' } }),
  ),
  refuses('a proof for the host in the request line', badProof('proof-url'), (issuer) =>
    read(issuer, {
      proof: { url: 'http://evil.example/orders/123' },
      request: { target: 'http://evil.example/orders/123' },
    }),
  ),
  refuses('a proof whose URL has a query', badProof('proof-url'), (issuer) =>
    read(issuer, { proof: { url: `${AUDIENCE}/orders/123?a=b` } }),
  ),
  refuses('a proof that is too old', badProof('proof-time'), (issuer) =>
    read(issuer, { proof: { claims: { iat: NOW - 61 } } }),
  ),
  refuses('a proof from the future', badProof('proof-time'), (issuer) =>
    read(issuer, { proof: { claims: { iat: NOW + 6 } } }),
  ),
  refuses('a proof for another token', badProof('proof-token'), (issuer) =>
    read(issuer, { proof: { token: issuer.grant() } }),
  ),
  refuses('a proof without a token digest', badProof('proof-token'), (issuer) =>
    read(issuer, { proof: { claims: { ath: undefined } } }),
  ),
  refuses('a proof with another type', badProof('proof-malformed'), (issuer) =>
    read(issuer, { proof: { header: { typ: 'jwt' } } }),
  ),
  refuses('another body than was proven', badProof('proof-body'), (issuer) =>
    refund(issuer, { proof: { body: '{"amount":"41.00"}' } }),
  ),
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
  refuses('another query than was proven', badProof('proof-query'), (issuer) =>
    search(issuer, { proof: { query: 'status=closed' } }),
  ),

  // body and target
  refuses(
    'a body that is not JSON',
    { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' },
    (issuer) => refund(issuer, { headers: (t, p) => [...credentials(t, p), 'content-type', 'text/plain'] }),
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
  refuses(
    'a chunked body over the limit',
    { status: 413, problem: 'body-too-large', reason: 'body-too-large' },
    (issuer) =>
      refund(issuer, { body: JSON.stringify({ amount: '42.00', note: 'x'.repeat(5000) }), request: { chunked: true } }),
  ),
  refuses('a duplicate member in the body', malformed('request-malformed'), (issuer) =>
    refund(issuer, { body: '{"amount":"1.00","amount":"42.00"}' }),
  ),
  refuses('an array as body', malformed('parameters-invalid'), (issuer) => refund(issuer, { body: '[]' })),
  refuses('an encoded slash in the path', malformed('request-malformed'), (issuer) =>
    read(issuer, { request: { target: '/orders/1%2F23' } }),
  ),
  refuses('a repeated Content-Type', malformed('request-malformed'), (issuer) =>
    refund(issuer, {
      headers: (t, p) => [...credentials(t, p), ...json, 'idempotency-key', 'a', 'idempotency-key', 'b'],
    }),
  ),

  // action, resource, parameters
  refuses('another action', notGranted('action-mismatch'), (issuer) =>
    read(issuer, { grant: { action: 'refund.create' } }),
  ),
  refuses('another resource', notGranted('resource-mismatch'), (issuer) =>
    read(issuer, { grant: { resource: 'order:124' } }),
  ),
  refuses('a resource whose id begins the same', notGranted('resource-mismatch'), (issuer) =>
    read(issuer, { grant: { resource: 'order:12' } }),
  ),
  refuses('a resource of another kind', notGranted('resource-mismatch'), (issuer) =>
    read(issuer, { grant: { resource: 'customer:*' } }),
  ),
  refuses('another amount, proven by the holder', notGranted('parameters-mismatch'), (issuer) =>
    refund(issuer, { body: '{"amount":"420.00"}' }),
  ),
  refuses('an amount of another type', notGranted('parameters-mismatch'), (issuer) =>
    refund(issuer, { body: '{"amount":42}' }),
  ),
  refuses('a parameter more', notGranted('parameters-mismatch'), (issuer) =>
    refund(issuer, { body: '{"amount":"42.00","note":"x"}' }),
  ),
  refuses('a parameter less', notGranted('parameters-mismatch'), (issuer) =>
    refund(issuer, { request: { body: undefined }, proof: { body: undefined } }),
  ),
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
    refund(issuer, {
      body: '{"amount":"42.00","to":"me"}',
      grant: { constraints: { amount: { any: true }, to: { any: true } } },
    }),
  ),
  refuses(
    'an amount the schema refuses, under constraints that let it pass',
    malformed('parameters-invalid'),
    (issuer) => refund(issuer, { body: '{"amount":"4.2e1"}', grant: { constraints: { amount: { any: true } } } }),
  ),
  refuses('a body member in the query too', malformed('parameters-invalid'), (issuer) =>
    refund(issuer, { request: { target: '/orders/123/refund?amount=42.00' } }),
  ),
  refuses('a query the action does not know', malformed('parameters-invalid'), (issuer) =>
    read(issuer, { request: { target: '/orders/123?verbose=1' } }),
  ),
  refuses('a query member twice', malformed('request-malformed'), (issuer) =>
    search(issuer, { query: 'status=open&status=closed' }),
  ),
  refuses('HEAD with a grant for GET', notGranted('action-mismatch'), (issuer) =>
    read(issuer, { request: { method: 'HEAD' }, proof: { method: 'HEAD' } }),
  ),
]
