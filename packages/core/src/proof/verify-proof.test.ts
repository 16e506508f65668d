import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import * as platform from '#crypto'
import { segment, signer } from '../../test/signer.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import type { ProofExpectation } from './expectation.ts'
import type { ProofKey, ProofKeyCache } from './proof-key.ts'
import { verifyProof } from './verify-proof.ts'

const now = 1800000000
const holder = signer()
const { x, y } = holder.jwk as unknown as { x: string; y: string }
const jwk = { kty: 'EC', crv: 'P-256', x, y }
const jkt = jwkThumbprint(jwk)
const accessToken = 'token.of.somebody'
const body = Buffer.from('{"amount":"42.00"}')
const query = 'a=1&b=%20'
const digest = (data: Uint8Array | string) => `sha-256=:${createHash('sha256').update(data).digest('base64')}:`
const ath = createHash('sha256').update(accessToken).digest('base64url')
const url = 'https://orders.example/orders/123/refund'

const header = { alg: 'ES256', typ: 'dpop+jwt', jwk }
const claims = {
  jti: 'a-jti-of-16-chars',
  htm: 'POST',
  htu: url,
  iat: now,
  ath,
  content_digest: digest(body),
  query_digest: digest(query),
}
const expectation: ProofExpectation = {
  method: 'POST',
  url,
  now,
  accessToken,
  jkt,
  body,
  query,
  requireQueryDigest: true,
}
const atTokenEndpoint: ProofExpectation = { method: 'POST', url, now, body, query }
const proof = (change: object = {}, head: object = {}) => holder.token({ ...header, ...head }, { ...claims, ...change })
const good = proof()

interface Figure {
  readonly name: string
  readonly proof: string
  readonly method: string
  readonly htu: string
  readonly iat: number
  readonly access_token?: string
}
const figures = JSON.parse(
  readFileSync(new URL('../../vectors/rfc9449/dpop-examples.json', import.meta.url), 'utf8'),
) as { jkt: string; proofs: Figure[] }

function mapCache(): ProofKeyCache & { readonly kept: Map<string, ProofKey> } {
  const kept = new Map<string, ProofKey>()
  return { kept, get: (segment) => kept.get(segment), set: (segment, key) => void kept.set(segment, key) }
}

describe('verifyProof()', () => {
  test.each(figures.proofs)('holds for RFC 9449 $name', async (figure) => {
    const token = figure.access_token === undefined ? {} : { accessToken: figure.access_token, jkt: figures.jkt }
    const answer = await verifyProof(figure.proof, {
      method: figure.method,
      url: figure.htu,
      now: figure.iat,
      ...token,
    })
    expect(answer).toMatchObject({
      ok: true,
      value: { jkt: figures.jkt, iat: figure.iat, acceptUntil: figure.iat + 60 },
    })
  })

  test('answers what the proof says, without a promise on Node', () => {
    expect(verifyProof(good, expectation)).toEqual({
      ok: true,
      value: { jkt, jti: claims.jti, iat: now, acceptUntil: now + 60, queryBound: true },
    })
  })

  test.each<[string, object, Partial<ProofExpectation>]>([
    ['issued 60 seconds ago', { iat: now - 60 }, {}],
    ['issued 5 seconds ahead', { iat: now + 5 }, {}],
    ['with a jti of 16 characters', { jti: 'x'.repeat(16) }, {}],
    ['with a jti of 128 characters', { jti: 'x'.repeat(128) }, {}],
    ['from 1970, when it is 1970', { iat: 0 }, { now: 0 }],
    ['valid from 5 seconds ahead', { nbf: now + 5 }, {}],
    ['valid since 1970', { nbf: 0 }, {}],
    ['over at the end of the year 9999', { exp: 253402300799 }, {}],
    ['with a nonce nobody asked for', { nonce: 5 }, {}],
    ['without the nonce, where the caller takes that', {}, { nonce: (nonce) => nonce === undefined }],
    ['without a body digest for an empty body', { content_digest: undefined }, { body: new Uint8Array(0) }],
    ['with a fraction of a second', { iat: now - 0.5 }, {}],
    ['not over yet', { exp: now + 1, nbf: now }, {}],
    ['with a claim nobody knows', { extra: { deep: [1] } }, {}],
    [
      'without digests, where there is neither body nor query',
      { content_digest: undefined, query_digest: undefined },
      { body: undefined, query: '' },
    ],
    ['with the digest of no body', { content_digest: digest('') }, { body: undefined }],
    ['without a body digest, where the caller takes that', { content_digest: undefined }, { requireBodyDigest: false }],
    ['with a host in capitals and its default port', { htu: 'HTTPS://Orders.Example:443/orders/%31%32%33/refund' }, {}],
    ['with dot segments', { htu: 'https://orders.example/x/../orders/./123/refund' }, {}],
    ['with the nonce', { nonce: 'n-1' }, { nonce: (nonce) => nonce === 'n-1' }],
  ])('takes one %s', (_name, change, expected) => {
    expect(verifyProof(proof(change), { ...expectation, ...expected })).toMatchObject({ ok: true, value: { jkt } })
  })

  test('takes one at a token endpoint, where ath means nothing', () => {
    expect(verifyProof(proof({ ath: 'whatever' }), atTokenEndpoint)).toMatchObject({ ok: true, value: { jkt } })
  })

  test('takes the hash of the token from a caller that kept it', () => {
    const kept = { ...atTokenEndpoint, ath }
    expect(verifyProof(good, kept)).toMatchObject({ ok: true })
    expect(verifyProof(proof({ ath: undefined }), kept)).toMatchObject({ reason: 'proof-token' })
    expect(verifyProof(good, { ...kept, ath: 'another' })).toMatchObject({ reason: 'proof-token' })
  })

  test('says when the query is not under the proof', () => {
    const answer = verifyProof(proof({ query_digest: undefined }), { ...expectation, requireQueryDigest: false })
    expect(answer).toMatchObject({ ok: true, value: { queryBound: false } })
  })

  test.each<[string, object, object]>([
    ['and no digest', { query_digest: undefined }, { query: '' }],
    ['and the digest of nothing', { query_digest: digest('') }, { query: '' }],
    ['named, and no digest', { query_digest: undefined }, { query: undefined }],
    ['named, and the digest of nothing', { query_digest: digest('') }, { query: undefined }],
  ])('binds the query of a request where there is none %s', (_name, change, { query: asked }: { query?: string }) => {
    const { query: _query, ...rest } = expectation
    const answer = verifyProof(proof(change), asked === undefined ? rest : { ...rest, query: asked })
    expect(answer).toMatchObject({ ok: true, value: { queryBound: true } })
  })

  test('is over when the proof says so', () => {
    expect(verifyProof(proof({ exp: now + 7 }), expectation)).toMatchObject({
      ok: true,
      value: { acceptUntil: now + 7 },
    })
  })

  test.each<[string, string, object]>([
    ['another method', 'proof-method', { htm: 'GET' }],
    ['a method in lower case', 'proof-method', { htm: 'post' }],
    ['a method in a list', 'proof-malformed', { htm: ['POST'] }],
    ['no method', 'proof-malformed', { htm: undefined }],
    ['another host', 'proof-url', { htu: 'https://evil.example/orders/123/refund' }],
    ['another scheme', 'proof-url', { htu: 'http://orders.example/orders/123/refund' }],
    ['another port', 'proof-url', { htu: 'https://orders.example:8443/orders/123/refund' }],
    ['another path', 'proof-url', { htu: 'https://orders.example/orders/124/refund' }],
    ['a path in another case', 'proof-url', { htu: 'https://orders.example/Orders/123/refund' }],
    ['a longer path', 'proof-url', { htu: `${url}/` }],
    ['the origin only', 'proof-url', { htu: 'https://orders.example' }],
    ['a relative URL', 'proof-url', { htu: '/orders/123/refund' }],
    ['a query in the URL', 'proof-url', { htu: `${url}?a=1` }],
    ['an empty query in the URL', 'proof-url', { htu: `${url}?` }],
    ['a fragment in the URL', 'proof-url', { htu: `${url}#a` }],
    ['a user in the URL', 'proof-url', { htu: 'https://orders.example@evil.example/orders/123/refund' }],
    ['our host as user', 'proof-url', { htu: 'https://evil.example@orders.example/orders/123/refund' }],
    ['a backslash', 'proof-url', { htu: 'https://orders.example\\orders\\123\\refund' }],
    ['an encoded slash', 'proof-url', { htu: 'https://orders.example/orders%2f123/refund' }],
    ['a double slash', 'proof-url', { htu: 'https://orders.example//orders/123/refund' }],
    ['a space before', 'proof-url', { htu: ` ${url}` }],
    ['a tab inside, which URL parsers drop', 'proof-url', { htu: 'https://orders.exa\tmple/orders/123/refund' }],
    ['a URL in a list', 'proof-malformed', { htu: [url] }],
    ['no URL', 'proof-malformed', { htu: undefined }],
    ['an iat 61 seconds ago', 'proof-time', { iat: now - 61 }],
    ['an iat 6 seconds ahead', 'proof-time', { iat: now + 6 }],
    ['an iat as text', 'proof-malformed', { iat: String(now) }],
    ['no iat', 'proof-malformed', { iat: undefined }],
    ['a negative iat', 'proof-malformed', { iat: -1 }],
    ['an exp of now', 'proof-time', { exp: now }],
    ['an exp beyond the year 9999', 'proof-time', { exp: 253402300800 }],
    ['a negative nbf', 'proof-time', { nbf: -1 }],
    ['an iat beyond the year 9999', 'proof-malformed', { iat: 253402300800 }],
    ['an exp as text', 'proof-time', { exp: String(now + 9) }],
    ['an exp of null', 'proof-time', { exp: null }],
    ['an nbf ahead', 'proof-time', { nbf: now + 6 }],
    ['an nbf as text', 'proof-time', { nbf: '0' }],
    ['no jti', 'proof-malformed', { jti: undefined }],
    ['a short jti', 'proof-malformed', { jti: '123456789012345' }],
    ['a long jti', 'proof-malformed', { jti: 'x'.repeat(129) }],
    ['a jti that is a number', 'proof-malformed', { jti: 1e17 }],
    ['no ath', 'proof-token', { ath: undefined }],
    ['ath of another token', 'proof-token', { ath: createHash('sha256').update('other').digest('base64url') }],
    ['ath with padding', 'proof-token', { ath: `${ath}=` }],
    ['ath in a list', 'proof-token', { ath: [ath] }],
    ['no body digest', 'proof-body', { content_digest: undefined }],
    ['the digest of another body', 'proof-body', { content_digest: digest('{"amount":"42.01"}') }],
    [
      'the body digest as base64url',
      'proof-body',
      { content_digest: `sha-256=:${createHash('sha256').update(body).digest('base64url')}:` },
    ],
    ['two body digests', 'proof-body', { content_digest: `${digest('x')}, ${digest(body)}` }],
    [
      'a weaker body digest',
      'proof-body',
      { content_digest: `md5=:${createHash('md5').update(body).digest('base64')}:` },
    ],
    ['no query digest', 'proof-query', { query_digest: undefined }],
    ['the digest of another query', 'proof-query', { query_digest: digest('a=2') }],
    ['the query digest of null', 'proof-query', { query_digest: null }],
  ])('refuses %s', (_name, reason, change) => {
    expect(verifyProof(proof(change), expectation)).toMatchObject({ ok: false, reason })
  })

  test.each<[string, string, object]>([
    ['an unsigned one', 'proof-malformed', { alg: 'none' }],
    ['a MAC', 'proof-malformed', { alg: 'HS256' }],
    ['another algorithm', 'proof-malformed', { alg: 'ES384' }],
    ['EdDSA, which nobody asked for', 'proof-malformed', { alg: 'EdDSA' }],
    ['another type', 'proof-malformed', { typ: 'JWT' }],
    ['a type in capitals', 'proof-malformed', { typ: 'DPoP+JWT' }],
    ['the full media type', 'proof-malformed', { typ: 'application/dpop+jwt' }],
    ['no type', 'proof-malformed', { typ: undefined }],
    ['no key', 'proof-key', { jwk: undefined }],
    ['a key that is null', 'proof-key', { jwk: null }],
    ['a key that is text', 'proof-key', { jwk: 'key' }],
    ['a list of keys', 'proof-key', { jwk: [jwk] }],
    ['a symmetric key', 'proof-key', { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['a key without type', 'proof-key', { jwk: { crv: 'P-256', x, y } }],
    ['a key URL', 'proof-malformed', { jku: 'https://evil.example' }],
    ['crit', 'proof-malformed', { crit: ['jwk'] }],
  ])('refuses %s in the header', (_name, reason, head) => {
    expect(verifyProof(proof({}, head), expectation)).toMatchObject({ ok: false, reason })
  })

  test.each<[string, object]>([
    ['with its private part', holder.privateJwk],
    ['of another curve', signer('ES384').jwk],
    ['off the curve', { ...jwk, y: x }],
    ['meant for encryption', { ...jwk, use: 'enc' }],
    ['with another algorithm', { ...jwk, alg: 'ES384' }],
  ])('refuses a key %s', (_name, key) => {
    expect(verifyProof(proof({}, { jwk: key }), atTokenEndpoint)).toMatchObject({
      ok: false,
      reason: 'proof-key',
    })
  })

  test.each<[string, object]>([
    ['with its private part', holder.privateJwk],
    ['that is symmetric', { kty: 'EC', crv: 'P-256', x, y, k: 'AAAA' }],
  ])('refuses a key %s before it reads the claims', (_name, key) => {
    expect(verifyProof(proof({ htm: 'GET' }, { jwk: key }), expectation)).toMatchObject({ reason: 'proof-key' })
  })

  test('takes 4096 characters', () => {
    const kids = ['a', 'aa', 'aaa', 'aaaa'].flatMap((kid) => [0, 1, 2, 3].map((less) => ({ kid, less })))
    const sized = kids.map(({ kid, less }) => {
      const spare = 4096 - proof({ filler: '' }, { kid }).length
      return proof({ filler: 'x'.repeat(Math.floor((spare * 3) / 4) - less) }, { kid })
    })
    const fits = sized.find((text) => text.length === 4096) ?? ''
    expect(verifyProof(fits, expectation)).toMatchObject({ ok: true })
  })

  test('refuses a key the token is not bound to, and does not import it', () => {
    const thief = signer()
    const stolen = thief.token({ ...header, jwk: thief.jwk }, claims)
    const imports = vi.spyOn(platform, 'importVerifyKey')
    expect(verifyProof(stolen, expectation)).toMatchObject({ ok: false, reason: 'binding-failed' })
    expect(imports).not.toHaveBeenCalled()
    imports.mockRestore()
  })

  test('refuses our key over another’s signature', () => {
    expect(verifyProof(signer().token(header, claims), expectation)).toMatchObject({
      ok: false,
      reason: 'proof-signature',
    })
  })

  const [h = '', p = '', s = ''] = good.split('.')
  test.each<[string, string, string]>([
    ['nothing', '', 'proof-malformed'],
    ['two of them', `${good}, ${good}`, 'proof-malformed'],
    ['one of them twice', `${good},${good}`, 'proof-malformed'],
    ['a comma after it', `${good},`, 'proof-malformed'],
    ['two parts', `${h}.${p}`, 'proof-malformed'],
    ['four parts', `${good}.${s}`, 'proof-malformed'],
    ['padding', `${good}==`, 'proof-malformed'],
    ['white space', ` ${good}`, 'proof-malformed'],
    ['another payload', `${h}.${segment({ ...claims, jti: 'b-jti-of-16-chars' })}.${s}`, 'proof-signature'],
    ['a zero signature', `${h}.${p}.${'A'.repeat(86)}`, 'proof-signature'],
    ['a short signature', `${h}.${p}.${s.slice(0, 84)}`, 'proof-signature'],
    ['a claim twice', holder.token(header, JSON.stringify(claims).replace('{', '{"htm":"POST",')), 'proof-malformed'],
    [
      'a header member twice',
      holder.token(JSON.stringify(header).replace('{', '{"alg":"ES256",'), claims),
      'proof-malformed',
    ],
    ['a list as payload', holder.token(header, '[]'), 'proof-malformed'],
    ['more than 4096 characters', proof({ filler: 'x'.repeat(4096) }), 'proof-malformed'],
  ])('refuses %s', (_name, text, reason) => {
    expect(verifyProof(text, expectation)).toMatchObject({ ok: false, reason })
  })

  test.each<[string, object, Partial<ProofExpectation>, string]>([
    ['no nonce', {}, { nonce: (nonce) => nonce === 'n-1' }, 'proof-nonce'],
    ['an old nonce', { nonce: 'n-0' }, { nonce: (nonce) => nonce === 'n-1' }, 'proof-nonce'],
    ['a nonce in a list', { nonce: ['n-1'] }, { nonce: () => true }, 'proof-nonce'],
    ['a body the request has not', {}, { body: undefined }, 'proof-body'],
    [
      'a body the request has not, though none is needed',
      {},
      { body: undefined, requireBodyDigest: false },
      'proof-body',
    ],
    ['a query the request has not', {}, { query: '' }, 'proof-query'],
    ['the clock at NaN', {}, { now: Number.NaN }, 'proof-time'],
  ])('refuses %s', (...[, change, expected, reason]) => {
    expect(verifyProof(proof(change), { ...expectation, ...expected })).toMatchObject({ ok: false, reason })
  })

  test.each(['EdDSA', 'Ed25519'] as const)('takes %s where the caller allows it', async (alg) => {
    const other = signer(alg)
    const text = other.token({ alg, typ: 'dpop+jwt', jwk: other.jwk }, claims)
    const answer = await verifyProof(text, {
      ...expectation,
      jkt: jwkThumbprint(other.jwk),
      algorithms: ['ES256', alg],
    })
    expect(answer.ok).toBe(true)
  })

  test('never repeats what it was given', () => {
    const secret = randomBytes(24).toString('base64url')
    const answers = [
      proof({ jti: secret, htm: 'GET' }),
      proof({ jti: secret, ath: secret }),
      proof({ htu: `https://x.example/${secret}` }),
    ].map((text) => verifyProof(text, expectation))
    expect(JSON.stringify(answers)).not.toContain(secret)
  })
})

describe('verifyProof() with a key cache', () => {
  test('imports a holder’s key once', () => {
    const keys = mapCache()
    const imports = vi.spyOn(platform, 'importVerifyKey')
    const sets = vi.spyOn(keys, 'set')
    expect(verifyProof(proof({ jti: 'first-of-two-proofs' }), { ...expectation, keys })).toMatchObject({ ok: true })
    expect(verifyProof(proof({ jti: 'second-of-two-proofs' }), { ...expectation, keys })).toMatchObject({
      ok: true,
      value: { jkt, jti: 'second-of-two-proofs' },
    })
    expect(imports).toHaveBeenCalledTimes(1)
    expect(sets).toHaveBeenCalledTimes(1)
    imports.mockRestore()
  })

  test('keeps no key of a proof that did not hold', () => {
    const keys = mapCache()
    void verifyProof(signer().token(header, claims), { ...expectation, keys })
    void verifyProof(proof({ iat: 0 }), { ...expectation, keys })
    expect(keys.kept.size).toBe(0)
  })

  test('checks everything else as before', () => {
    const keys = mapCache()
    void verifyProof(good, { ...expectation, keys })
    const refusals = [
      verifyProof(proof({ htm: 'GET' }), { ...expectation, keys }),
      verifyProof(proof({ ath: 'x' }), { ...expectation, keys }),
      verifyProof(good, { ...expectation, keys, jkt: jwkThumbprint(signer().jwk) }),
      verifyProof(`${good.slice(0, -86)}${'A'.repeat(86)}`, { ...expectation, keys }),
      verifyProof(good, { ...expectation, keys, algorithms: ['EdDSA'] }),
    ].map((answer) => ('reason' in answer ? answer.reason : 'none'))
    expect(refusals).toEqual(['proof-method', 'proof-token', 'binding-failed', 'proof-signature', 'proof-malformed'])
  })
})
