import { createHash } from 'node:crypto'
import type { Scenario } from './scenario.ts'
import { REFUND, credentials, json, limits, passes, read, refund, search } from './scenario.ts'
import { AUDIENCE } from './test-issuer.ts'

export const passing: readonly Scenario[] = [
  passes('a read with its grant', (issuer) => read(issuer)),
  passes('a write whose body the grant fixes', (issuer) => refund(issuer)),
  passes('a chunked body', (issuer) => refund(issuer, { request: { chunked: true } })),
  passes('a body with white space, since the digest is over what it means', (issuer) =>
    refund(issuer, { body: '{ "amount" : "42.00" }' }),
  ),
  passes('a class grant for one of its resources', (issuer) =>
    read(issuer, { grant: { resource: 'order:*', limits } }),
  ),
  passes('a query the grant fixes, without a query digest in the proof', (issuer) =>
    search(issuer, { proof: { query: undefined } }),
  ),
  passes('a query under constraints, bound by the proof', (issuer) =>
    search(issuer, { grant: { constraints: { status: { one_of: ['open'] } } } }),
  ),
  passes('a route parameter that is a parameter', (issuer) => {
    const body = '{"quantity":2}'
    const token = issuer.grant({
      action: 'item.update',
      constraints: { item: { equals: 'a' }, quantity: { any: true } },
    })
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
    refund(issuer, {
      headers: (t, p) => [...credentials(t, p), 'content-type', 'application/merge-patch+json; charset="UTF-8"'],
    }),
  ),
  passes('a Content-Digest field that agrees', (issuer) =>
    refund(issuer, {
      headers: (t, p) => [
        ...credentials(t, p),
        ...json,
        'content-digest',
        `sha-256=:${createHash('sha256').update(REFUND).digest('base64')}:`,
      ],
    }),
  ),
]
