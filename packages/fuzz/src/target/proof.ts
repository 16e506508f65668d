import { createHash } from 'node:crypto'
import { MAX_PROOF_BYTES, ok, verifyProof } from '@hallpass/core'
import type { JsonValue, ProofKey, ProofKeyCache } from '@hallpass/core'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import type { JWK } from 'jose'
import { KEYS } from '../keys.ts'
import { buildToken, makeRecipe } from '../mutate/token.ts'
import type { TokenRecipe } from '../mutate/token.ts'
import type { TokenKind } from '../strictness/evidence.ts'
import { joseReads, judgeToken } from './judge-token.ts'
import { NOW, WORDS } from './seed-tokens.ts'
import { defineTarget } from './target.ts'

const URL_ = 'https://orders.example/orders/7/refund'
const BODY = Buffer.from('{"amount":"42.00"}')
const QUERY = 'a=1&b=%20'
const TOKEN = 'token.of.somebody'
const digest = (data: Uint8Array | string, encoding: 'base64' | 'base64url') =>
  createHash('sha256').update(data).digest(encoding)
const ATH = digest(TOKEN, 'base64url')
const CONTENT_DIGEST = `sha-256=:${digest(BODY, 'base64')}:`
const QUERY_DIGEST = `sha-256=:${digest(QUERY, 'base64')}:`

const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: KEYS.holder.jwk as JsonValue }
const payload = {
  jti: 'a-jti-of-16-chars',
  htm: 'POST',
  htu: URL_,
  iat: NOW,
  ath: ATH,
  content_digest: CONTENT_DIGEST,
  query_digest: QUERY_DIGEST,
}
const urls = [
  'https://orders.example:443/orders/7/refund',
  'HTTPS://ORDERS.EXAMPLE/orders/7/refund',
  'https://orders.example/x/../orders/7/refund',
  'https://orders.example/orders/%37/refund',
  'https://orders.example/orders/7%2frefund',
  'https://orders.example/orders//7/refund',
  'https://orders.example\\orders/7/refund',
  'https://user@orders.example/orders/7/refund',
  'https://orders.example/orders/7/refund?a=1&b=%20',
  'https://orders.example/orders/7/refund#x',
  'https://orders.example./orders/7/refund',
  'http://orders.example/orders/7/refund',
]
const words = {
  now: NOW,
  names: [
    ...WORDS.names,
    'jwk',
    'kty',
    'crv',
    'x',
    'y',
    'd',
    'k',
    'use',
    'key_ops',
    'alg',
    'content_digest',
    'exp',
    'nbf',
  ],
  values: [
    ...WORDS.values,
    ...urls,
    KEYS.holder.jwk as JsonValue,
    KEYS.holder.privateJwk as JsonValue,
    KEYS.es384.jwk as JsonValue,
    { kty: 'oct', k: 'AAAA' },
    'sig',
    'enc',
    ['verify'],
    ['sign'],
    ['verify', 'verify'],
    'POST',
    'post',
    'GET',
    ATH,
    CONTENT_DIGEST,
  ],
}

/** What a careful user of WHATWG URL would compare; RFC 3986 section 6.2.2.2 is theirs to do. */
function sameUrl(htu: unknown): boolean {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return false
  const url = new URL(htu)
  const path = url.pathname.replaceAll(/%[0-9a-f]{2}/gi, (escape) =>
    /[\w.~-]/.test(decodeEscape(escape)) ? decodeEscape(escape) : escape.toUpperCase(),
  )
  return url.origin + path === URL_
}
const decodeEscape = (escape: string): string => String.fromCharCode(Number.parseInt(escape.slice(1), 16))

function issuesOf(claims: unknown): string[] {
  const { iat, exp, jti, htu } = claims as Readonly<Record<string, unknown>>
  const issues: string[] = []
  if (typeof iat === 'number' && iat < NOW - 60) issues.push('proof-age')
  if (typeof exp === 'number' && exp <= NOW) issues.push('exp-passed')
  for (const [name, date] of Object.entries({ iat, exp })) {
    if (typeof date === 'number' && (date < 0 || date > 253402300799)) issues.push(name)
  }
  if (typeof jti !== 'string' || jti.length < 16 || jti.length > 128) issues.push('proof-jti')
  if (typeof htu !== 'string' || !/^https?:\/\/[!"$-.0->A-[\]-~]+(\/[\w.~!$&'()*+,;=:@%/-]*)?$/i.test(htu))
    issues.push('htu')
  return issues
}

const kind: TokenKind = {
  name: 'proof',
  maxBytes: MAX_PROOF_BYTES,
  typ: ['dpop+jwt'],
  allowsJwk: true,
  profile: issuesOf,
}

/** One for all cases, as a verifier has: what a hostile proof leaves in it would show in the next. */
const kept = new Map<string, ProofKey>()
const keys: ProofKeyCache = {
  get: (segment) => kept.get(segment),
  set(segment, key) {
    if (kept.size > 100) kept.clear()
    kept.set(segment, key)
  },
}

const expectation = {
  method: 'POST',
  url: URL_,
  now: NOW,
  accessToken: TOKEN,
  body: BODY,
  query: QUERY,
  requireQueryDigest: true,
}

const judge = (token: string) =>
  joseReads(async () => {
    const { payload: claims, protectedHeader } = await jwtVerify(token, EmbeddedJWK, {
      algorithms: ['ES256'],
      typ: 'dpop+jwt',
      requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
      maxTokenAge: 60,
      clockTolerance: 5,
      currentDate: new Date(NOW * 1000),
    })
    const { jti, iat, htm, htu, ath, content_digest: body, query_digest: query } = claims
    if (typeof jti !== 'string' || htm !== 'POST' || !sameUrl(htu) || ath !== ATH) throw new Error('claims')
    if (body !== CONTENT_DIGEST || query !== QUERY_DIGEST) throw new Error('digests')
    return { jkt: await calculateJwkThumbprint(protectedHeader.jwk as JWK), jti, iat }
  })

export const proofTarget = defineTarget<TokenRecipe>({
  name: 'proof',
  about: 'verifyProof with its key cache, against jose.jwtVerify with EmbeddedJWK and RFC 9449 checks by hand',
  make: (random) => makeRecipe(random, { header, payload, key: 'holder', words }),
  judge(recipe) {
    const token = buildToken(recipe)
    const ours = async () => {
      const proof = await verifyProof(token, { ...expectation, keys })
      return proof.ok ? ok({ jkt: proof.value.jkt, jti: proof.value.jti, iat: proof.value.iat }) : proof
    }
    return judgeToken({ token, kind, ours, judge: () => judge(token) })
  },
})
