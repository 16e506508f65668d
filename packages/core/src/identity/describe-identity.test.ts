import { describe, expect, test } from 'vitest'
import { signer } from '../../test/signer.ts'
import { oidc, privateKeyJwt, spiffe } from './describe-identity.ts'
import type { Jwk } from './identity.ts'

const { jwk, privateJwk } = signer()
const audience = 'https://broker.example'
const good = {
  oidc: { issuer: 'https://idp.example', audience, subject: 'repo:acme/bot:ref:refs/heads/main' },
  spiffe: { id: 'spiffe://example.org/agent', audience, bundle: { keys: [{ ...jwk, kid: 'a', use: 'jwt-svid' }] } },
  privateKeyJwt: { audience, subject: 'support-bot', jwks: { keys: [jwk] } },
}
const make = (kind: keyof typeof good, change: object) => {
  const constructors = { oidc, spiffe, privateKeyJwt } as unknown as Record<string, (options: object) => object>
  return () => constructors[kind]?.({ ...good[kind], ...change })
}

describe.each(['oidc', 'spiffe', 'privateKeyJwt'] as const)('%s()', (kind) => {
  test('describes an identity', () => {
    expect(make(kind, {})()).toMatchObject({ ...good[kind], kind: kind === 'privateKeyJwt' ? 'private_key_jwt' : kind })
    expect(make(kind, { keysPerAssertion: 3 })()).toMatchObject({ keysPerAssertion: 3 })
  })

  test('does not change with what it was made of, nor afterwards', () => {
    const keys = [jwk]
    const made = make(kind, kind === 'spiffe' ? { bundle: { keys } } : { jwks: { keys } })() as {
      audience: string
      jwks?: { keys: Jwk[] }
      bundle?: { keys: Jwk[] }
    }
    keys.push({ kty: 'EC' })
    expect((made.jwks ?? made.bundle)?.keys).toHaveLength(1)
    expect(() => (made.audience = 'https://evil.example')).toThrow(TypeError)
    expect(() => (made.jwks ?? made.bundle)?.keys.push({ kty: 'EC' })).toThrow(TypeError)
  })

  test.each<[string, object]>([
    ['no audience', { audience: undefined }],
    ['an empty audience', { audience: '' }],
    ['a list of audiences', { audience: [audience] }],
    ['no subject', { subject: undefined, id: undefined }],
    ['an empty subject', { subject: '', id: '' }],
    ['an empty key set', { jwks: { keys: [] }, bundle: { keys: [] } }],
    ['keys that are no list', { jwks: { keys: jwk }, bundle: { keys: jwk } }],
    ['a private key', { jwks: { keys: [privateJwk] }, bundle: { keys: [privateJwk] } }],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] }, bundle: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
    ['a key that is null', { jwks: { keys: [null] }, bundle: { keys: [null] } }],
    ['no keys per assertion', { keysPerAssertion: 0 }],
    ['half a key per assertion', { keysPerAssertion: 0.5 }],
    ['a misspelt option', { subjects: ['a'] }],
  ])('throws for %s', (_name, change) => {
    expect(make(kind, change)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

test.each<[keyof typeof good, string, object]>([
  ['oidc', 'no issuer', { issuer: undefined }],
  ['oidc', 'an issuer over http', { issuer: 'http://idp.example' }],
  ['oidc', 'an issuer that begins like loopback', { issuer: 'http://localhost.evil.example' }],
  ['oidc', 'an issuer with a query', { issuer: 'https://idp.example?tenant=a' }],
  ['oidc', 'a wildcard subject', { subject: '*' }],
  ['oidc', 'no algorithm', { algorithms: [] }],
  ['oidc', 'a symmetric algorithm', { algorithms: ['HS256'] }],
  ['oidc', 'no signature', { algorithms: ['none'] }],
  ['oidc', 'a claim that is an object', { claims: { a: {} } }],
  ['spiffe', 'no bundle', { bundle: undefined }],
  ['spiffe', 'a bundle over http', { bundle: 'http://example.org/bundle' }],
  ['spiffe', 'the trust domain itself', { id: 'spiffe://example.org' }],
  ['spiffe', 'an ID that is none', { id: 'spiffe://Example.org/agent' }],
  ['spiffe', 'a wildcard', { id: 'spiffe://example.org/*' }],
  ['spiffe', 'EdDSA, which SPIFFE does not know', { algorithms: ['EdDSA'] }],
  ['privateKeyJwt', 'no keys', { jwks: undefined }],
])('%s() throws for %s', (kind, _name, change) => {
  expect(make(kind, change)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
})

test.each<[keyof typeof good, object]>([
  ['oidc', { issuer: 'http://localhost:8080/realms/a' }],
  ['oidc', { issuer: 'http://127.0.0.1:8080' }],
  [
    'oidc',
    { jwks: { keys: [jwk] }, algorithms: ['RS256', 'ES256'], claims: { repository: 'acme/bot', run: 1, pr: false } },
  ],
  ['spiffe', { bundle: 'https://example.org/bundle', algorithms: ['ES256'] }],
])('%s() takes %j', (kind, change) => {
  expect(make(kind, change)).not.toThrow()
})
