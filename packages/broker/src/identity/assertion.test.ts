import { oidc, privateKeyJwt, spiffe, type Jwk, type WorkloadIdentity } from '@hallpass/core'
import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { assertion, jws, keyPair, segment } from '../../test/holder.ts'
import { verifyAssertion } from './assertion.ts'
import { createKeySources } from './key-sources.ts'
import { createRegistry } from './registry.ts'

const BROKER = 'https://broker.test'
const NOW = 1_795_300_000
const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

const agentKey = keyPair()
const issuerKey = keyPair()
const domainKey = keyPair()
const strangerKey = keyPair()
// Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
const encoded = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const rsa = { privateKey: createPrivateKey(encoded.privateKey) }
const rsaJwk = { ...createPublicKey(rsa.privateKey).export({ format: 'jwk' }), kid: 'rsa-1', use: 'sig' } as Jwk

const workload = oidc({
  issuer: 'https://issuer.test',
  audience: BROKER,
  subject: 'system:serviceaccount:prod:bot',
  claims: { environment: 'prod', attempt: 1 },
  jwks: {
    keys: [
      { ...issuerKey.publicJwk, kid: 'iss-1', use: 'sig' },
      rsaJwk,
      { ...strangerKey.publicJwk, kid: 'enc-1', use: 'enc' },
    ],
  },
})
const svid = spiffe({
  id: 'spiffe://acme.test/bot',
  audience: BROKER,
  bundle: {
    keys: [
      { ...domainKey.publicJwk, kid: 'td-1', use: 'jwt-svid' },
      { ...strangerKey.publicJwk, kid: 'x509-1', use: 'x509-svid' },
      { ...strangerKey.publicJwk, kid: 'sig-1', use: 'sig' },
    ],
  },
})
const own = privateKeyJwt({
  audience: BROKER,
  subject: 'own-bot',
  jwks: { keys: [{ ...agentKey.publicJwk, kid: 'own-1' }] },
})

const registered: Record<string, WorkloadIdentity> = { 'oidc-bot': workload, 'spiffe-bot': svid, 'own-bot': own }
const registry = createRegistry(
  Object.entries(registered).map(([id, identity]) => ({ kind: 'operator', id, identity })),
  BROKER,
)
const keys = createKeySources(
  () => Promise.reject(new Error('no network here')),
  () => NOW,
)
const verifier = {
  registry,
  keysFor: (identity: WorkloadIdentity) => keys.forIdentity(identity),
  issuer: BROKER,
  clock: () => NOW,
}
const verify = (type: string, token: string, clientId?: string) =>
  verifyAssertion(verifier, { type, assertion: token, ...(clientId === undefined ? {} : { clientId }) })

const times = { iat: NOW - 5, exp: NOW + 300 }
const workloadClaims = {
  iss: 'https://issuer.test',
  sub: 'system:serviceaccount:prod:bot',
  aud: [BROKER],
  ...times,
  environment: 'prod',
  attempt: 1,
}
const workloadToken = (claims: object = {}, header: object = {}) =>
  jws({ alg: 'ES256', kid: 'iss-1', ...header }, { ...workloadClaims, ...claims }, issuerKey.privateKey)
const svidToken = (claims: object = {}, header: object = {}) =>
  jws(
    { alg: 'ES256', kid: 'td-1', ...header },
    { sub: 'spiffe://acme.test/bot', aud: BROKER, ...times, ...claims },
    domainKey.privateKey,
  )
const ownToken = (claims: object = {}, header: object = {}, aud: unknown = BROKER) =>
  assertion(agentKey, { sub: 'own-bot', aud, now: NOW, claims, header: { kid: 'own-1', ...header } })

describe('verifyAssertion() accepts', () => {
  const accepted: [name: string, type: string, token: string, id: string, iss: string][] = [
    ['an OIDC workload token', BEARER, workloadToken(), 'oidc-bot', 'https://issuer.test'],
    ['one with its audience as text', BEARER, workloadToken({ aud: BROKER }), 'oidc-bot', 'https://issuer.test'],
    ['a JWT-SVID', SPIFFE, svidToken(), 'spiffe-bot', 'spiffe://acme.test'],
    ['a JWT-SVID of an hour ago', SPIFFE, svidToken({ iat: NOW - 3600 }), 'spiffe-bot', 'spiffe://acme.test'],
    [
      'a JWT-SVID that does not say when it was signed',
      SPIFFE,
      svidToken({ iat: undefined }),
      'spiffe-bot',
      'spiffe://acme.test',
    ],
    ['a JWT-SVID with typ JOSE', SPIFFE, svidToken({}, { typ: 'JOSE' }), 'spiffe-bot', 'spiffe://acme.test'],
    ['private_key_jwt', BEARER, ownToken(), 'own-bot', 'own-bot'],
    ['one of rfc7523bis', BEARER, ownToken({}, { typ: 'client-authentication+jwt' }), 'own-bot', 'own-bot'],
    ['one without kid, where there is one key', BEARER, ownToken({}, { kid: undefined }), 'own-bot', 'own-bot'],
    [
      'one without kid, where one key fits',
      BEARER,
      workloadToken({}, { kid: undefined }),
      'oidc-bot',
      'https://issuer.test',
    ],
  ]
  test.each(accepted)('verifyAssertion() accepts %s', async (...[, type, token, id, iss]) => {
    expect(await verify(type, token)).toMatchObject({ ok: true, value: { registrant: { id }, identity: { iss } } })
  })

  test('verifyAssertion() accepts an RSA signature', async () => {
    const input = `${segment({ alg: 'RS256', kid: 'rsa-1' })}.${segment(workloadClaims)}`
    const signature = sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PADDING })
    expect(await verify(BEARER, `${input}.${signature.toString('base64url')}`)).toMatchObject({ ok: true })
  })

  test('verifyAssertion() takes the registered id or the workload subject for client_id, and nothing else', async () => {
    expect(await verify(SPIFFE, svidToken(), 'spiffe-bot')).toMatchObject({ ok: true })
    expect(await verify(SPIFFE, svidToken(), 'spiffe://acme.test/bot')).toMatchObject({ ok: true })
    expect(await verify(SPIFFE, svidToken(), 'own-bot')).toMatchObject({ ok: false, reason: 'identity-invalid' })
  })

  test('verifyAssertion() names the same assertion the same, whatever bytes its signature has', async () => {
    const token = ownToken()
    const first = await verify(BEARER, token)
    const second = await verify(BEARER, malleated(token))
    expect(malleated(token)).not.toBe(token)
    expect(second).toMatchObject({ ok: true })
    expect(second).toEqual(first)
  })

  test('verifyAssertion() reports the key a token is bound to', async () => {
    expect(await verify(BEARER, workloadToken({ cnf: { jkt: 'thumb' } }))).toMatchObject({
      ok: true,
      value: { boundTo: 'thumb' },
    })
  })
})

/** The same ECDSA signature with s replaced by n - s: just as valid, other bytes. */
function malleated(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const [header, payload, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return `${header}.${payload}.${other.toString('base64url')}`
}

describe('verifyAssertion() refuses', () => {
  const foreign = (claims: object, header: object = {}) =>
    jws({ alg: 'ES256', kid: 'iss-1', ...header }, { ...workloadClaims, ...claims }, strangerKey.privateKey)

  const refused: [name: string, type: string, token: string, reason: string][] = [
    ['an unknown issuer', BEARER, workloadToken({ iss: 'https://evil.test' }), 'agent-unknown'],
    ['an issuer with a trailing slash', BEARER, workloadToken({ iss: 'https://issuer.test/' }), 'agent-unknown'],
    ['an unknown subject', BEARER, workloadToken({ sub: 'somebody' }), 'agent-unknown'],
    ['no subject', BEARER, workloadToken({ sub: undefined }), 'token-claims'],
    ['no issuer', BEARER, workloadToken({ iss: undefined }), 'issuer-unknown'],
    ['a pinned claim that differs', BEARER, workloadToken({ environment: 'dev' }), 'agent-unknown'],
    ['a pinned claim of another type', BEARER, workloadToken({ attempt: '1' }), 'agent-unknown'],
    ['a pinned claim that is missing', BEARER, workloadToken({ environment: undefined }), 'agent-unknown'],
    ['another audience', BEARER, workloadToken({ aud: 'https://other.test' }), 'audience-mismatch'],
    ['the token endpoint as audience', BEARER, ownToken({}, {}, `${BROKER}/token`), 'audience-mismatch'],
    ['a second audience', BEARER, workloadToken({ aud: [BROKER, 'https://other.test'] }), 'audience-mismatch'],
    ['the same audience twice', BEARER, workloadToken({ aud: [BROKER, BROKER] }), 'audience-mismatch'],
    ['an audience array in private_key_jwt', BEARER, ownToken({}, {}, [BROKER]), 'audience-mismatch'],
    ['no audience', BEARER, workloadToken({ aud: undefined }), 'audience-mismatch'],
    ['an expired assertion, at its very second', BEARER, workloadToken({ exp: NOW }), 'token-expired'],
    ['no expiry', BEARER, workloadToken({ exp: undefined }), 'token-claims'],
    ['an expiry that is text', BEARER, workloadToken({ exp: '1795300300' }), 'token-claims'],
    ['an expiry beyond all dates', BEARER, workloadToken({ exp: 1e15 }), 'token-claims'],
    ['one that lives too long', BEARER, ownToken({ exp: NOW + 601 }), 'lifetime-exceeded'],
    ['one signed too long ago', BEARER, ownToken({ iat: NOW - 601 }), 'lifetime-exceeded'],
    ['a workload token of the day before', BEARER, workloadToken({ iat: NOW - 86_401 }), 'lifetime-exceeded'],
    ['a JWT-SVID of more than an hour ago', SPIFFE, svidToken({ iat: NOW - 3601 }), 'lifetime-exceeded'],
    ['one from the future', BEARER, workloadToken({ iat: NOW + 60 }), 'not-yet-valid'],
    ['one not yet valid', BEARER, workloadToken({ nbf: NOW + 60 }), 'not-yet-valid'],
    ['a jti that is no text', BEARER, workloadToken({ jti: 7 }), 'token-claims'],
    ['a signature by another key', BEARER, foreign({}), 'token-signature'],
    ['an unknown key id', BEARER, workloadToken({}, { kid: 'iss-2' }), 'token-key-unknown'],
    ['a key meant for encryption', BEARER, foreign({}, { kid: 'enc-1' }), 'token-key-unknown'],
    ['alg none', BEARER, `${segment({ alg: 'none' })}.${segment(workloadClaims)}.AA`, 'token-malformed'],
    ['HS256', BEARER, workloadToken({}, { alg: 'HS256' }), 'token-malformed'],
    ['a key in the header', BEARER, workloadToken({}, { jwk: strangerKey.publicJwk }), 'token-malformed'],
    ['a key URL in the header', BEARER, workloadToken({}, { jku: 'https://evil.test/keys' }), 'token-malformed'],
    ['a critical extension', BEARER, workloadToken({}, { crit: ['exp'] }), 'token-malformed'],
    ['another typ', BEARER, workloadToken({}, { typ: 'dpop+jwt' }), 'token-malformed'],
    ['a DPoP proof', BEARER, ownToken({}, { typ: 'dpop+jwt' }), 'token-malformed'],
    [
      'a payload with a repeated member',
      BEARER,
      jws({ alg: 'ES256', kid: 'own-1' }, `{"iss":"own-bot","sub":"own-bot","sub":"own-bot"}`, agentKey.privateKey),
      'token-malformed',
    ],
    ['padding', BEARER, `${ownToken()}=`, 'token-malformed'],
    ['four parts', BEARER, `${ownToken()}.AA`, 'token-malformed'],
    ['an oversized assertion', BEARER, ownToken({ filler: 'x'.repeat(9000) }), 'token-malformed'],
    ['an unknown assertion type', 'urn:x', ownToken(), 'identity-invalid'],
    ['a JWT-SVID under the other type', BEARER, svidToken(), 'issuer-unknown'],
    ['a private_key_jwt under the SPIFFE type', SPIFFE, ownToken(), 'identity-invalid'],
    ['a JWT-SVID with another header member', SPIFFE, svidToken({}, { x: 1 }), 'token-malformed'],
    ['a JWT-SVID with EdDSA', SPIFFE, svidToken({}, { alg: 'EdDSA' }), 'token-algorithm'],
    ['a JWT-SVID with typ at+jwt', SPIFFE, svidToken({}, { typ: 'at+jwt' }), 'token-type'],
    ['a JWT-SVID without key id', SPIFFE, svidToken({}, { kid: undefined }), 'token-key-unknown'],
    [
      'a JWT-SVID by a key of another use',
      SPIFFE,
      jws(
        { alg: 'ES256', kid: 'sig-1' },
        { sub: 'spiffe://acme.test/bot', aud: BROKER, ...times },
        strangerKey.privateKey,
      ),
      'token-key-unknown',
    ],
    [
      'a JWT-SVID by an X.509 authority',
      SPIFFE,
      jws(
        { alg: 'ES256', kid: 'x509-1' },
        { sub: 'spiffe://acme.test/bot', aud: BROKER, ...times },
        strangerKey.privateKey,
      ),
      'token-key-unknown',
    ],
    ['a JWT-SVID of another trust domain', SPIFFE, svidToken({ sub: 'spiffe://evil.test/bot' }), 'agent-unknown'],
    [
      'a JWT-SVID for a subject that is no SPIFFE ID',
      SPIFFE,
      svidToken({ sub: 'spiffe://acme.test/bot/' }),
      'identity-invalid',
    ],
    ['a JWT-SVID with two audiences', SPIFFE, svidToken({ aud: [BROKER, 'b'] }), 'audience-mismatch'],
    ['a JWT-SVID that lives too long', SPIFFE, svidToken({ exp: NOW + 3601 }), 'lifetime-exceeded'],
    ['a token bound by certificate', BEARER, workloadToken({ cnf: { 'x5t#S256': 'thumb' } }), 'binding-failed'],
    ['a confirmation of two methods', BEARER, workloadToken({ cnf: { jkt: 'a', 'x5t#S256': 'b' } }), 'binding-failed'],
    ['rubbish', BEARER, 'rubbish', 'token-malformed'],
  ]
  test.each(refused)('verifyAssertion() refuses %s', async (...[, type, token, reason]) => {
    expect(await verify(type, token)).toMatchObject({ ok: false, reason })
  })

  test('verifyAssertion() refuses a signature changed in any one byte', async () => {
    const [header, payload, signature = ''] = ownToken().split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const results = await Promise.all(
      [...bytes.keys()].map((at) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ 1
        return verify(BEARER, `${header}.${payload}.${changed.toString('base64url')}`)
      }),
    )
    expect(new Set(results.map((result) => (result.ok ? 'accepted' : result.reason)))).toEqual(
      new Set(['token-signature']),
    )
  })
})
