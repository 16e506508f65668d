import { sha256Base64url } from '#crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test, vi } from 'vitest'
import { signer } from '../../test/signer.ts'
import type { Jwk } from '../identity/identity.ts'
import { jwkThumbprint } from './thumbprint.ts'

describe('jwkThumbprint()', () => {
  // RFC 7638 section 3.1 and RFC 8037 appendix A.3
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  test.each<[string, Jwk, string]>([
    [
      'RSA',
      { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' },
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    ],
    [
      'OKP',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    ],
  ])('of the published %s key', (_name, jwk, thumbprint) => {
    expect(jwkThumbprint(jwk)).toBe(thumbprint)
  })

  test.each(['ES256', 'ES384', 'ES512', 'RS256', 'EdDSA'] as const)('is what jose computes for %s', async (alg) => {
    const { jwk } = signer(alg)
    expect(jwkThumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk as never))
  })

  test('hashes what needs escapes as JSON writes it, never as it stands', () => {
    for (const x of ['"', '\\', 'a","y":"b', '\u0000', 'é', 'AA\n']) {
      const jwk = { kty: 'EC', crv: 'P-256', x, y: 'AAAA' }
      expect(jwkThumbprint(jwk)).toBe(sha256Base64url(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x, y: jwk.y })))
    }
  })

  test('needs no writer of JSON for an EC key, which nearly every key is', () => {
    const { jwk } = signer('ES256')
    const writes = vi.spyOn(JSON, 'stringify')
    const thumbprint = jwkThumbprint(jwk)
    expect(writes).not.toHaveBeenCalled()
    writes.mockRestore()
    expect(thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('looks at no member that its type has not', () => {
    const okp = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }
    expect(jwkThumbprint({ ...okp, y: 'AAAA' })).toBe(jwkThumbprint(okp))
  })

  test('hashes a curve that needs escapes as JSON writes it', () => {
    const jwk = { crv: '"', kty: 'EC', x: 'AAAA', y: 'AAAA' }
    expect(jwkThumbprint(jwk)).toBe(sha256Base64url(JSON.stringify(jwk)))
    expect(jwkThumbprint({ ...jwk, crv: 'P-256', y: '"' })).toBe(
      sha256Base64url(JSON.stringify({ ...jwk, crv: 'P-256', y: '"' })),
    )
  })

  test.each<[string, unknown]>([
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['a key without y', { kty: 'EC', crv: 'P-256', x: 'AAAA' }],
    ['an EC key with x as a list', { kty: 'EC', crv: 'P-256', x: ['AAAA'], y: 'AAAA' }],
    ['an EC key with x as a number', { kty: 'EC', crv: 'P-256', x: 1, y: 'AAAA' }],
    ['a key with x as a list', { kty: 'OKP', crv: 'Ed25519', x: ['AAAA'] }],
    ['a key with an empty x', { kty: 'OKP', crv: 'Ed25519', x: '' }],
    ['a key without curve', { kty: 'OKP', crv: '', x: 'AAAA' }],
    ['an unknown type', { kty: 'constructor' }],
    ['nothing in it', {}],
  ])('throws for %s', (_name, jwk) => {
    expect(() => jwkThumbprint(jwk as Jwk)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
