import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { confusionsOf } from '../../test/confusions.ts'
import { signer } from '../../test/signer.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import type { ProofExpectation } from './expectation.ts'
import { verifyProof } from './verify-proof.ts'

const now = 1_800_000_000
const holder = signer()
const { x, y } = holder.jwk as unknown as { readonly x: string; readonly y: string }
const jwk = { kty: 'EC', crv: 'P-256', x, y }
const body = Buffer.from('{"amount":"42.00"}')
const query = 'a=1'
const accessToken = 'token.of.somebody'
const url = 'https://orders.example/orders/7/refund'
const hash = (data: Uint8Array | string) => createHash('sha256').update(data)
const digest = (data: Uint8Array | string) => `sha-256=:${hash(data).digest('base64')}:`
const claims: JsonObject = {
  jti: 'a-jti-of-16-chars',
  htm: 'POST',
  htu: url,
  iat: now,
  exp: now + 30,
  nbf: now - 1,
  nonce: 'n-1',
  ath: hash(accessToken).digest('base64url'),
  content_digest: digest(body),
  query_digest: digest(query),
}
const expectation: ProofExpectation = {
  method: 'POST',
  url,
  now,
  accessToken,
  jkt: jwkThumbprint(jwk),
  body,
  query,
  requireQueryDigest: true,
  nonce: (nonce) => nonce === 'n-1',
}
const header = { alg: 'ES256', typ: 'dpop+jwt', jwk }
const proof = (change: JsonObject) => holder.token(header, { ...claims, ...change })

const reasons: Readonly<Record<string, readonly string[]>> = {
  jti: ['proof-malformed'],
  htm: ['proof-malformed', 'proof-method'],
  htu: ['proof-malformed', 'proof-url'],
  iat: ['proof-malformed', 'proof-time'],
  exp: ['proof-time'],
  nbf: ['proof-time'],
  nonce: ['proof-nonce'],
  ath: ['proof-token'],
  content_digest: ['proof-body'],
  query_digest: ['proof-query'],
}

/** Another jti is another proof; an end a little later or a beginning a little sooner is one too. */
const isFair = (name: string, bad: JsonValue): boolean =>
  (name === 'jti' && typeof bad === 'string' && bad.length >= 16 && bad.length <= 128) ||
  (name === 'exp' && typeof bad === 'number' && bad > now && bad <= 253402300799)

const rows = Object.entries(claims).flatMap(([name, good]) =>
  confusionsOf(good)
    .filter(([, bad]) => !isFair(name, bad))
    .map(([title, bad]) => [`${name}: ${title}`, name, bad] as const),
)

describe('verifyProof() does not take for a claim', () => {
  test('anything but it: the honest proof holds', () => {
    expect(verifyProof(proof({}), expectation)).toMatchObject({ ok: true })
  })

  test.each(rows)('%s', (_title, name, bad) => {
    const answer = verifyProof(proof({ [name]: bad }), expectation) as {
      readonly ok: boolean
      readonly reason?: string
    }
    expect([answer.ok, reasons[name]]).toEqual([false, expect.arrayContaining([answer.reason])])
  })

  test.each<[string, string]>([
    ['the digest in base64url', `sha-256=:${hash(body).digest('base64url')}:`],
    ['the digest in hex', `sha-256=:${hash(body).digest('hex')}:`],
    ['the digest without its name', hash(body).digest('base64')],
    ['the digest in another name', digest(body).replace('sha-256', 'SHA-256')],
    ['a weaker digest', `sha=:${createHash('sha1').update(body).digest('base64')}:`],
    ['two digests', `${digest(body)}, ${digest('{}')}`],
    ['the digest of the text in other bytes', digest(`${body.toString()} `)],
    ['the digest of nothing', digest('')],
  ])('content_digest: %s', (_title, content_digest) => {
    expect(verifyProof(proof({ content_digest }), expectation)).toMatchObject({ ok: false, reason: 'proof-body' })
  })

  test.each<[string, string]>([
    ['the digest in hex', hash(accessToken).digest('hex')],
    ['the digest in standard base64', hash(accessToken).digest('base64')],
    ['the digest with padding', `${hash(accessToken).digest('base64url')}=`],
    ['the token itself', accessToken],
    ['the digest of the scheme and the token', hash(`DPoP ${accessToken}`).digest('base64url')],
    ['the digest of its first part', hash('token').digest('base64url')],
  ])('ath: %s', (_title, ath) => {
    expect(verifyProof(proof({ ath }), expectation)).toMatchObject({ ok: false, reason: 'proof-token' })
  })
})

const es384 = signer('ES384').jwk
const rsa = signer('RS256').jwk
const ed = signer('EdDSA').jwk

describe('verifyProof() takes no key', () => {
  const keys: readonly (readonly [string, JsonValue | undefined])[] = [
    ...confusionsOf(jwk).map(([title, bad]) => [title, bad] as const),
    ['that is missing', undefined],
    ['with a d', { ...jwk, d: 'AAAA' }],
    ['with a d that is null', { ...jwk, d: null }],
    ['with a k', { ...jwk, k: 'AAAA' }],
    ['with a prime', { ...jwk, p: 'AQAB' }],
    ['with other primes', { ...jwk, oth: [] }],
    ['for encryption', { ...jwk, use: 'enc' }],
    ['for signing', { ...jwk, key_ops: ['sign'] }],
    ['for verifying and signing', { ...jwk, key_ops: ['verify', 'sign'] }],
    ['for another algorithm', { ...jwk, alg: 'ES384' }],
    ['whose algorithm is null', { ...jwk, alg: null }],
    ['of another curve by name', { ...jwk, crv: 'P-384' }],
    ['of a curve nobody knows', { ...jwk, crv: 'secp256k1' }],
    ['of a curve in a list', { ...jwk, crv: ['P-256'] }],
    ['of another curve', es384 as JsonValue],
    ['of RSA', rsa as JsonValue],
    ['of Ed25519', ed as JsonValue],
    ['that is symmetric', { kty: 'oct', k: 'AAAA' }],
    ['of another type by name', { ...jwk, kty: 'OKP' }],
    ['of a type in small letters', { ...jwk, kty: 'ec' }],
    ['without x', { kty: 'EC', crv: 'P-256', y }],
    ['without y', { kty: 'EC', crv: 'P-256', x }],
    ['with x for y', { ...jwk, y: x }],
    ['at infinity', { ...jwk, x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    [
      'with a zero ahead of x',
      { ...jwk, x: Buffer.concat([Buffer.alloc(1), Buffer.from(x, 'base64url')]).toString('base64url') },
    ],
    ['with padding', { ...jwk, x: `${x}=` }],
    ['with a coordinate as a list', { ...jwk, x: [x] }],
    ['in compressed form', { kty: 'EC', crv: 'P-256', x, y: 0 }],
  ]

  test.each(keys)('%s', (_title, bad) => {
    const token = holder.token({ ...header, jwk: bad }, claims)
    // Without a thumbprint to compare, as at the token endpoint: nothing but the key itself is wrong.
    const { jkt: _jkt, ...anyKey } = expectation
    expect(verifyProof(token, anyKey)).toMatchObject({ ok: false, reason: 'proof-key' })
  })
})
