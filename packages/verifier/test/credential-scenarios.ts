import type { Scenario } from './scenario.ts'
import {
  MALFORMED,
  MISSING,
  badProof,
  binding,
  credentials,
  invalid,
  read,
  refund,
  refuses,
  stranger,
} from './scenario.ts'
import type { TestIssuer } from './test-issuer.ts'
import { AUDIENCE, NOW, signJws } from './test-issuer.ts'

/** The token, step by step in the order of the flow: the way around each step, and where it ends. */
export const badCredentials: readonly Scenario[] = [
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
  refuses(
    'a token in a form body',
    { status: 415, problem: 'body-unsupported', reason: 'body-unsupported' },
    (issuer) =>
      refund(issuer, {
        body: 'access_token=x',
        headers: (t, p) => [...credentials(t, p), 'content-type', 'application/x-www-form-urlencoded'],
      }),
  ),
  refuses('no proof', badProof('proof-missing'), (issuer) =>
    read(issuer, { headers: (token) => ['authorization', `DPoP ${token}`] }),
  ),
  refuses('a bound grant as Bearer', binding, (issuer) =>
    read(issuer, { headers: (token) => ['authorization', `Bearer ${token}`] }),
  ),
  refuses('a bound grant as Bearer, with its proof', MALFORMED, (issuer) =>
    read(issuer, { headers: (token, proof) => ['authorization', `Bearer ${token}`, 'dpop', proof] }),
  ),

  // strict preflight
  refuses('something that is no token', invalid('token-malformed'), (issuer) => read(issuer, { token: 'a.b.c' })),
  refuses('padding', invalid('token-malformed'), (issuer) =>
    read(issuer, { token: `${issuer.grant({ action: 'order.read' })}=` }),
  ),
  refuses('a signature with stray trailing bits', invalid('token-malformed'), (issuer) =>
    read(issuer, { token: strayBits(issuer.grant()) }),
  ),
  refuses('a duplicate member', invalid('token-malformed'), (issuer) =>
    read(issuer, { token: duplicateMember(issuer) }),
  ),
  refuses('alg none', invalid('token-algorithm'), (issuer) => read(issuer, { grant: { header: { alg: 'none' } } })),
  refuses('a symmetric algorithm', invalid('token-algorithm'), (issuer) =>
    read(issuer, { grant: { header: { alg: 'HS256' } } }),
  ),
  refuses('another type', invalid('token-type'), (issuer) => read(issuer, { grant: { header: { typ: 'JWT' } } })),
  refuses('a type in other letter case', invalid('token-type'), (issuer) =>
    read(issuer, { grant: { header: { typ: 'AT+JWT' } } }),
  ),
  refuses('a key in the header', invalid('token-malformed'), (issuer) =>
    read(issuer, { grant: { header: { jwk: stranger.publicJwk } } }),
  ),
  refuses('crit', invalid('token-malformed'), (issuer) => read(issuer, { grant: { header: { crit: ['x'], x: 1 } } })),

  // cheap claims
  refuses('another issuer', invalid('issuer-unknown'), (issuer) =>
    read(issuer, { grant: { claims: { iss: 'https://evil.example' } } }),
  ),
  refuses('another audience', invalid('audience-mismatch'), (issuer) =>
    read(issuer, { grant: { claims: { aud: 'https://other.example' } } }),
  ),
  refuses('two audiences', invalid('token-claims'), (issuer) =>
    read(issuer, { grant: { claims: { aud: [AUDIENCE, 'https://other.example'] } } }),
  ),
  refuses('no audience', invalid('token-claims'), (issuer) => read(issuer, { grant: { claims: { aud: undefined } } })),
  refuses('an expired token', invalid('token-expired'), (issuer) =>
    read(issuer, { grant: { claims: { iat: NOW - 60, exp: NOW - 1 } } }),
  ),
  refuses('a token in the very second it expires', invalid('token-expired'), (issuer) =>
    read(issuer, { grant: { claims: { exp: NOW } } }),
  ),
  refuses('a token without an end', invalid('token-claims'), (issuer) =>
    read(issuer, { grant: { claims: { exp: undefined } } }),
  ),
  refuses('an end as text', invalid('token-claims'), (issuer) =>
    read(issuer, { grant: { claims: { exp: String(NOW + 50) } } }),
  ),
  refuses('a token from the future', invalid('not-yet-valid'), (issuer) =>
    read(issuer, { grant: { claims: { iat: NOW + 6 } } }),
  ),
  refuses('a life over the cap', invalid('lifetime-exceeded'), (issuer) =>
    read(issuer, { grant: { claims: { exp: NOW + 901 } } }),
  ),
  refuses('an entry for another audience', invalid('token-claims'), (issuer) =>
    read(issuer, { grant: { entry: { locations: ['https://other.example'] } } }),
  ),
  refuses('a task token', invalid('audience-mismatch'), (issuer) =>
    read(issuer, { grant: { claims: { aud: issuer.issuer } } }),
  ),

  // signature
  refuses('another key under a known key id', invalid('token-signature'), (issuer) =>
    read(issuer, {
      token: signJws({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' }, issuer.grantClaims(), stranger.privateKey),
    }),
  ),
  refuses('a key id the issuer has not', invalid('token-key-unknown'), (issuer) =>
    read(issuer, { grant: { header: { kid: 'key-9' } } }),
  ),
  refuses('no key id', invalid('token-key-unknown'), (issuer) =>
    read(issuer, { grant: { header: { kid: undefined } } }),
  ),
  refuses('a payload under the signature of another', invalid('token-signature'), (issuer) => {
    const [, , signature] = issuer.grant().split('.')
    const [header, payload] = issuer.grant({ action: 'order.read', resource: 'order:*' }).split('.')
    return read(issuer, { token: `${header}.${payload}.${signature}` })
  }),
]

/** Changes bits of the last character that no decoder looks at. */
function strayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  return token.slice(0, -1) + (alphabet[last ^ 1] ?? 'A')
}

function duplicateMember(issuer: TestIssuer): string {
  const text = JSON.stringify(issuer.grantClaims())
  return signJws(
    { typ: 'at+jwt', alg: 'ES256', kid: 'key-1' },
    `${text.slice(0, -1)},"sub":"other"}`,
    issuer.signing.privateKey,
  )
}
