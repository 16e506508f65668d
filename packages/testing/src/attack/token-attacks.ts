import { createHmac } from 'node:crypto'
import { jwsPart, testKey } from '../key/test-key.ts'
import { bareJwk } from '../wire/make-proof.ts'
import type { Attack, AttackMaterial } from './attack.ts'
import { bentEntry, forgedToken, requestWith } from './honest-request.ts'

type Row = readonly [
  id: string,
  title: string,
  reason: Attack['reason'],
  token: (material: AttackMaterial) => string,
  status?: number,
]

const stranger = testKey()
const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string]
const json = (value: object): string => JSON.stringify(value)

/** Base64url whose last character carries bits that no encoder sets, so that it decodes to the same bytes. */
function strayBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? 'A')
  return part.slice(0, -1) + alphabet.charAt(last ^ 1)
}

const rows: readonly Row[] = [
  // Compact serialisation (RFC 7515 sections 2 and 7.1)
  ['token.padding', 'a padded part', 'token-malformed', ({ token }) => `${token}=`],
  ['token.white-space', 'a tab inside', 'credential-malformed', ({ token }) => token.replace('.', ' .'), 400],
  ['token.four-parts', 'a fourth part', 'token-malformed', ({ token }) => `${token}.AAAA`],
  ['token.two-parts', 'no signature part', 'token-malformed', ({ token }) => parts(token).slice(0, 2).join('.')],
  [
    'token.empty-signature',
    'an empty signature',
    'token-malformed',
    ({ token }) => `${parts(token).slice(0, 2).join('.')}.`,
  ],
  ['token.stray-bits', 'a signature with stray trailing bits', 'token-malformed', ({ token }) => strayBits(token)],
  [
    'token.too-long',
    'a token beyond the size limit',
    'token-malformed',
    (m) => forgedToken(m, { claims: { pad: 'x'.repeat(9000) } }),
  ],
  ['token.not-json', 'a payload that is no JSON', 'token-malformed', (m) => forgedToken(m, { claims: '{' })],
  ['token.array', 'a payload that is a list', 'token-malformed', (m) => forgedToken(m, { claims: '[]' })],
  [
    'token.duplicate-claim',
    'a claim twice',
    'token-malformed',
    (m) => forgedToken(m, { claims: json(m.claims).replace('{', '{"aud":"https://evil.test",') }),
  ],
  [
    'token.duplicate-header',
    'a header member twice',
    'token-malformed',
    (m) => forgedToken(m, { header: json(m.header).replace('{', '{"alg":"none",') }),
  ],
  [
    'token.byte-order-mark',
    'a byte order mark',
    'token-malformed',
    (m) => forgedToken(m, { claims: `\uFEFF${json(m.claims)}` }),
  ],
  [
    'token.infinite',
    'an infinite exp',
    'token-malformed',
    (m) => forgedToken(m, { claims: json(m.claims).replace(/"exp":\d+/, '"exp":1e999') }),
  ],

  // Algorithms (RFC 8725 sections 3.1 and 3.2)
  [
    'token.alg-none',
    'alg none',
    'token-algorithm',
    (m) => `${jwsPart({ ...m.header, alg: 'none' })}.${parts(m.token)[1]}.AAAA`,
  ],
  ['token.alg-hmac', 'HMAC with the public key', 'token-algorithm', hmacToken],
  ['token.alg-case', 'alg in other letters', 'token-algorithm', (m) => forgedToken(m, { header: { alg: 'es256' } })],
  ['token.alg-other', 'another algorithm', 'token-algorithm', (m) => forgedToken(m, { header: { alg: 'ES384' } })],

  // Header (RFC 8725 sections 3.10 and 3.11, RFC 9068 section 2.1)
  ['token.typ-jwt', 'typ JWT', 'token-type', (m) => forgedToken(m, { header: { typ: 'JWT' } })],
  ['token.typ-absent', 'no typ', 'token-type', (m) => forgedToken(m, { header: { typ: undefined } })],
  ['token.typ-proof', 'typ of a proof', 'token-type', (m) => forgedToken(m, { header: { typ: 'dpop+jwt' } })],
  ['token.crit', 'a critical extension', 'token-malformed', (m) => forgedToken(m, { header: { crit: ['exp'] } })],
  [
    'token.jwk',
    'a key of its own in the header',
    'token-malformed',
    (m) => forgedToken(m, { header: { jwk: bareJwk(stranger) }, key: stranger }),
  ],
  [
    'token.jku',
    'an address for its key',
    'token-malformed',
    (m) => forgedToken(m, { header: { jku: 'https://evil.test/jwks' }, key: stranger }),
  ],
  [
    'token.x5u',
    'an address for its certificate',
    'token-malformed',
    (m) => forgedToken(m, { header: { x5u: 'https://evil.test/x5u' } }),
  ],
  [
    'token.kid-unknown',
    'a key nobody published',
    'token-key-unknown',
    (m) => forgedToken(m, { header: { kid: 'stranger' }, key: stranger }),
  ],
  [
    'token.kid-path',
    'a key id that is a path',
    'token-key-unknown',
    (m) => forgedToken(m, { header: { kid: '../../dev/null' } }),
  ],
  [
    'token.kid-prototype',
    'a key id that is a property of objects',
    'token-key-unknown',
    (m) => forgedToken(m, { header: { kid: '__proto__' } }),
  ],

  // Signature
  [
    'token.signature-other-key',
    "a signature by another key under the broker's key id",
    'token-signature',
    (m) => forgedToken(m, { key: stranger }),
  ],
  ['token.signature-moved', 'other claims under the old signature', 'token-signature', (m) => swapped(m)],
  ['token.signature-zero', 'an all-zero signature', 'token-signature', (m) => withSignature(m.token, Buffer.alloc(64))],
  [
    'token.signature-short',
    'a signature of another length',
    'token-signature',
    (m) => withSignature(m.token, Buffer.alloc(63, 1)),
  ],

  // Claims (RFC 9068 section 4)
  ['token.issuer', 'another issuer', 'issuer-unknown', (m) => forgedToken(m, { claims: { iss: 'https://evil.test' } })],
  [
    'token.issuer-slash',
    'the issuer with a slash',
    'issuer-unknown',
    (m) => forgedToken(m, { claims: { iss: `${m.issuer}/` } }),
  ],
  [
    'token.audience',
    'another audience',
    'audience-mismatch',
    (m) => forgedToken(m, { claims: { aud: 'https://other.test' } }),
  ],
  [
    'token.expired',
    'an expired grant',
    'token-expired',
    (m) => forgedToken(m, { claims: { iat: m.now - 60, exp: m.now } }),
  ],
  [
    'token.future',
    'a grant of tomorrow',
    'not-yet-valid',
    (m) => forgedToken(m, { claims: { iat: m.now + 31, exp: m.now + 60 } }),
  ],
  [
    'token.lifetime',
    'a grant of a day',
    'lifetime-exceeded',
    (m) => forgedToken(m, { claims: { exp: m.now + 86_400 } }),
  ],
  ['token.exp-text', 'exp as text', 'token-claims', (m) => forgedToken(m, { claims: { exp: String(m.now + 60) } })],
  ['token.exp-absent', 'no exp', 'token-claims', (m) => forgedToken(m, { claims: { exp: undefined } })],
  ['token.jti-absent', 'no jti', 'token-claims', (m) => forgedToken(m, { claims: { jti: undefined } })],
  ['token.txn-absent', 'no task', 'token-claims', (m) => forgedToken(m, { claims: { txn: undefined } })],
  ['token.status-absent', 'no status', 'token-claims', (m) => forgedToken(m, { claims: { status: undefined } })],
  [
    'token.details-absent',
    'no entry',
    'token-claims',
    (m) => forgedToken(m, { claims: { authorization_details: undefined } }),
  ],
  [
    'token.details-two',
    'two entries',
    'token-claims',
    (m) =>
      forgedToken(m, {
        claims: { authorization_details: [1, 2].flatMap(() => bentEntry(m, {}).authorization_details) },
      }),
  ],
  [
    'token.details-unknown',
    'an entry with a member nobody knows',
    'details-invalid',
    (m) => forgedToken(m, { claims: bentEntry(m, { admin: true }) }),
  ],
  ['token.task', 'the task token in place of a grant', 'audience-mismatch', ({ taskToken }) => taskToken],
  [
    'token.unknown',
    'a grant the broker signed and never registered',
    'grant-unknown',
    (m) => forgedToken(m, { claims: { jti: 'gr_AAAAAAAAAAAAAAAAAAAAAA' } }),
  ],

  // Scope (RFC 9396)
  [
    'scope.action',
    'a grant for another action',
    'action-mismatch',
    (m) => forgedToken(m, { claims: bentEntry(m, { actions: ['other.action'] }) }),
    403,
  ],
  [
    'scope.resource',
    'a grant for another resource',
    'resource-mismatch',
    (m) => forgedToken(m, { claims: bentEntry(m, { identifier: 'order:other' }) }),
    403,
  ],
  [
    'scope.location',
    'an entry for another audience',
    'token-claims',
    (m) => forgedToken(m, { claims: bentEntry(m, { locations: ['https://other.test'] }) }),
  ],
  [
    'scope.parameters',
    'a grant for other parameters',
    'parameters-mismatch',
    (m) =>
      forgedToken(m, {
        claims: bentEntry(m, { parameter_digest: `sha-256:${'A'.repeat(43)}`, constraints: undefined }),
      }),
    403,
  ],
  [
    'scope.constraint-unknown',
    'a constraint nobody knows',
    'constraint-unknown',
    (m) =>
      forgedToken(m, {
        claims: bentEntry(m, { parameter_digest: undefined, constraints: { amount: { about: '1' } } }),
      }),
    403,
  ],
]

function hmacToken({ header, token, brokerKey }: AttackMaterial): string {
  const input = `${jwsPart({ ...header, alg: 'HS256' })}.${parts(token)[1]}`
  const secret = JSON.stringify(brokerKey.publicJwk)
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function swapped(material: AttackMaterial): string {
  const [header, , signature] = parts(material.token)
  return `${header}.${jwsPart({ ...material.claims, exp: Number(material.claims['exp']) + 1 })}.${signature}`
}

function withSignature(token: string, signature: Buffer): string {
  return `${parts(token).slice(0, 2).join('.')}.${signature.toString('base64url')}`
}

/** Tokens that are malformed, forged, or genuine and wrong; the proof beside each is honest. */
export const tokenAttacks: readonly Attack[] = rows.map(([id, title, reason, token, status = 401]) => ({
  id,
  title,
  reason,
  status,
  make: (material) => requestWith(material, { token: token(material) }),
}))
