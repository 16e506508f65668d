import { jwsPart, testKey } from '../key/test-key.ts'
import type { ProofWish } from '../wire/make-proof.ts'
import { bareJwk } from '../wire/make-proof.ts'
import type { Attack, AttackMaterial } from './attack.ts'
import { forgedToken, proofFor, requestWith } from './honest-request.ts'

type Row = readonly [
  id: string,
  title: string,
  reason: Attack['reason'],
  proof: (material: AttackMaterial) => string,
  status?: number,
]

const stranger = testKey()
const bent = (material: AttackMaterial, wish: Partial<ProofWish>) => proofFor(material, wish)
const claims = (material: AttackMaterial, members: ProofWish['claims'] & object) => bent(material, { claims: members })

const rows: readonly Row[] = [
  // Syntax and header (RFC 9449 section 4.3, steps 2 to 6)
  ['proof.garbage', 'no JWS', 'proof-malformed', () => 'garbage'],
  ['proof.padding', 'a padded proof', 'proof-malformed', (m) => `${proofFor(m)}=`],
  ['proof.typ', 'typ JWT', 'proof-malformed', (m) => bent(m, { header: { typ: 'JWT' } })],
  ['proof.typ-absent', 'no typ', 'proof-malformed', (m) => bent(m, { header: { typ: undefined } })],
  ['proof.alg-none', 'alg none', 'proof-malformed', (m) => unsigned(m)],
  ['proof.alg-hmac', 'HMAC', 'proof-malformed', (m) => bent(m, { header: { alg: 'HS256' } })],
  ['proof.jwk-absent', 'no key', 'proof-key', (m) => bent(m, { header: { jwk: undefined } })],
  [
    'proof.jwk-private',
    'a key with its private half',
    'proof-key',
    (m) => bent(m, { header: { jwk: { ...bareJwk(m.holder), d: 'AAAA' } } }),
  ],
  [
    'proof.jwk-symmetric',
    'a symmetric key',
    'proof-key',
    (m) => bent(m, { header: { jwk: { kty: 'oct', k: 'AAAA' } } }),
  ],
  [
    'proof.jwk-off-curve',
    'a point that is not on the curve',
    'binding-failed',
    (m) => bent(m, { header: { jwk: { ...bareJwk(m.holder), y: 'A'.repeat(43) } } }),
  ],
  ['proof.crit', 'a critical extension', 'proof-malformed', (m) => bent(m, { header: { crit: ['jti'] } })],
  ['proof.duplicate-claim', 'a claim twice', 'proof-malformed', duplicated],
  [
    'proof.signature',
    'a signature by another key than its header names',
    'proof-signature',
    (m) => bent(m, { signWith: stranger }),
  ],

  // Claims (steps 7 to 12)
  ['proof.jti-absent', 'no jti', 'proof-malformed', (m) => claims(m, { jti: undefined })],
  ['proof.jti-short', 'a jti of few characters', 'proof-malformed', (m) => claims(m, { jti: 'abc' })],
  ['proof.method', 'another method', 'proof-method', (m) => claims(m, { htm: 'PATCH' })],
  [
    'proof.method-case',
    'the method in small letters',
    'proof-method',
    (m) => claims(m, { htm: m.method.toLowerCase() }),
  ],
  ['proof.url-path', 'another path', 'proof-url', (m) => claims(m, { htu: `${m.url}x` })],
  ['proof.url-host', 'another host', 'proof-url', (m) => claims(m, { htu: m.url.replace('://', '://evil.') })],
  ['proof.url-scheme', 'another scheme', 'proof-url', (m) => claims(m, { htu: m.url.replace('https:', 'http:') })],
  ['proof.url-query', 'a URL with a query', 'proof-url', (m) => claims(m, { htu: `${m.url}?a=1` })],
  ['proof.old', 'a proof of a minute ago', 'proof-time', (m) => bent(m, { now: m.now - 66 })],
  ['proof.future', 'a proof of tomorrow', 'proof-time', (m) => bent(m, { now: m.now + 31 })],
  ['proof.iat-text', 'iat as text', 'proof-malformed', (m) => claims(m, { iat: String(m.now) })],
  ['proof.ath-absent', 'no token digest', 'proof-token', (m) => claims(m, { ath: undefined })],
  ['proof.ath-other', 'the digest of another token', 'proof-token', (m) => bent(m, { token: 'a.b.c' })],
  ['proof.key', 'a proof by another key', 'binding-failed', (m) => proofFor(m, {}, stranger)],
]

function unsigned(material: AttackMaterial): string {
  const [, payload] = proofFor(material).split('.')
  return `${jwsPart({ typ: 'dpop+jwt', alg: 'none', jwk: bareJwk(material.holder) })}.${payload}.AAAA`
}

function duplicated(material: AttackMaterial): string {
  const [header, payload = '', signature] = proofFor(material).split('.')
  const twice = Buffer.from(payload, 'base64url').toString().replace('{', `{"htm":"DELETE",`)
  return `${header}.${jwsPart(twice)}.${signature}`
}

/** Proofs that are malformed, forged, stale or made for another request; the token beside each is genuine. */
export const proofAttacks: readonly Attack[] = rows.map(([id, title, reason, proof, status = 401]) => ({
  id,
  title,
  reason,
  status,
  make: (material) => requestWith(material, { proof: proof(material) }),
}))

/** Credentials put together wrongly. */
export const credentialAttacks: readonly Attack[] = [
  {
    id: 'credential.none',
    title: 'no credential',
    reason: 'credential-missing',
    status: 401,
    make: ({ method, url, body }) => ({
      method,
      url,
      headers: body === undefined ? [] : [['content-type', 'application/json']],
      ...(body !== undefined && { body }),
    }),
  },
  {
    id: 'credential.bearer',
    title: 'a bound grant as a bearer token',
    reason: 'binding-failed',
    status: 401,
    make: (material) => requestWith(material, { scheme: 'Bearer', proof: undefined }),
  },
  {
    id: 'credential.bearer-with-proof',
    title: 'a bearer token beside a proof',
    reason: 'credential-malformed',
    status: 400,
    make: (material) => requestWith(material, { scheme: 'Bearer' }),
  },
  {
    id: 'credential.proof-missing',
    title: 'no proof',
    reason: 'proof-missing',
    status: 401,
    make: (material) => requestWith(material, { proof: undefined }),
  },
  {
    id: 'credential.proof-twice',
    title: 'two proofs',
    reason: 'proof-malformed',
    status: 401,
    make: (material) => requestWith(material, { headers: [['dpop', proofFor(material)]] }),
  },
  {
    id: 'credential.token-twice',
    title: 'two tokens',
    reason: 'credential-malformed',
    status: 400,
    make: (material) => requestWith(material, { headers: [['authorization', `DPoP ${forgedToken(material)}`]] }),
  },
  {
    id: 'credential.in-query',
    title: 'the token in the query',
    reason: 'credential-malformed',
    status: 400,
    make: (material) => requestWith(material, { url: `${material.url}?access_token=${material.token}` }),
  },
  {
    id: 'proof.replayed',
    title: 'the same proof again',
    reason: 'proof-replayed',
    status: 401,
    before: (material) => requestWith(material, { proof: fixedProof(material) }),
    make: (material) => requestWith(material, { proof: fixedProof(material) }),
  },
]

const fixed = new WeakMap<AttackMaterial, string>()

/** One and the same proof each time it is asked for. */
function fixedProof(material: AttackMaterial): string {
  const known = fixed.get(material) ?? proofFor(material)
  fixed.set(material, known)
  return known
}
