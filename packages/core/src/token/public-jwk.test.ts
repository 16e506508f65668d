import { describe, expect, test } from 'vitest'
import { decodeBase64url } from '#crypto'
import type { Jwk } from '../identity/identity.ts'
import type { SignatureAlgorithm } from './algorithm.ts'
import { publicJwk } from './public-jwk.ts'

const octets = (length: number, first = 0x80) => Buffer.alloc(length, 7).fill(first, 0, 1).toString('base64url')
const rsa = { kty: 'RSA', n: octets(256), e: 'AQAB' }
const ec = { kty: 'EC', crv: 'P-256', x: octets(32), y: octets(32) }
const okp = { kty: 'OKP', crv: 'Ed25519', x: octets(32) }
const read = (key: unknown, alg: SignatureAlgorithm) => publicJwk(key as Jwk, alg, decodeBase64url)
const exponent = (...bytes: number[]) => ({ ...rsa, e: Buffer.from(bytes).toString('base64url') })

describe('publicJwk()', () => {
  test.each<[string, object, SignatureAlgorithm, object]>([
    ['an EC key', ec, 'ES256', { members: ec, signatureBytes: 64 }],
    [
      'a P-384 key',
      { ...ec, crv: 'P-384', x: octets(48), y: octets(48) },
      'ES384',
      { members: { kty: 'EC', crv: 'P-384', x: octets(48), y: octets(48) }, signatureBytes: 96 },
    ],
    [
      'a P-521 key',
      { ...ec, crv: 'P-521', x: octets(66), y: octets(66) },
      'ES512',
      { members: { kty: 'EC', crv: 'P-521', x: octets(66), y: octets(66) }, signatureBytes: 132 },
    ],
    ['an Ed25519 key', okp, 'EdDSA', { members: okp, signatureBytes: 64 }],
    ['an Ed25519 key with a y, which it has not', { ...okp, y: 'AAAA' }, 'EdDSA', { signatureBytes: 64 }],
    ['an RSA key of 2048 bits', rsa, 'RS256', { members: rsa, signatureBytes: 256 }],
    ['an RSA key of 2049 bits', { ...rsa, n: octets(257, 1) }, 'PS256', { signatureBytes: 257 }],
    ['an RSA key of 8192 bits', { ...rsa, n: octets(1024) }, 'PS512', { signatureBytes: 1024 }],
    ['an exponent of 3', exponent(3), 'RS256', { signatureBytes: 256 }],
    ['an exponent of 257', exponent(1, 1), 'RS256', { signatureBytes: 256 }],
    ['an exponent of four octets', exponent(1, 0, 0, 1), 'RS256', { signatureBytes: 256 }],
    ['a use', { ...ec, use: 'sig' }, 'ES256', { members: ec }],
    ['the use of an SVID', { ...ec, use: 'jwt-svid' }, 'ES256', { members: ec }],
    ['its operation', { ...ec, key_ops: ['verify'] }, 'ES256', { members: ec }],
    ['its algorithm', { ...ec, alg: 'ES256' }, 'ES256', { members: ec }],
    ['ext', { ...ec, ext: true }, 'ES256', { members: ec }],
  ])('takes %s, and only what makes the key', (...[, key, alg, expected]) => {
    expect(read(key, alg)).toMatchObject(expected)
    expect(read(key, alg)).toEqual(read({ ...read(key, alg)?.members }, alg))
  })

  test('leaves out what does not make the key', () => {
    expect(read({ ...ec, kid: '1', use: 'sig' }, 'ES256')?.members).toEqual(ec)
    expect(read({ ...okp, y: 'AAAA', kid: '1' }, 'EdDSA')?.members).toEqual(okp)
    expect(read({ ...rsa, x: 'AAAA', kid: '1' }, 'RS256')?.members).toEqual(rsa)
  })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('takes no key with %s in it', (name) => {
    expect(read({ ...rsa, [name]: 'AQAB' }, 'RS256')).toBeUndefined()
    expect(read({ ...ec, [name]: undefined }, 'ES256')).toBeUndefined()
  })

  test.each<[string, unknown, SignatureAlgorithm]>([
    ['nothing', undefined, 'ES256'],
    ['null', null, 'ES256'],
    ['text', 'EC', 'ES256'],
    ['a function', Object.assign(() => 0, ec), 'ES256'],
    ['an algorithm nobody knows', ec, 'ES256K' as SignatureAlgorithm],
    ['an EC key for RSA', ec, 'RS256'],
    ['an RSA key for EC', rsa, 'ES256'],
    ['an Ed25519 key for EC', okp, 'ES256'],
    ['key of another type by name', { ...ec, kty: 'OKP' }, 'ES256'],
    ['key without a type', { ...ec, kty: undefined }, 'ES256'],
    ['RSA key of another type by name', { ...rsa, kty: 'EC' }, 'RS256'],
    ['Ed25519 key of another type by name', { ...okp, kty: 'EC' }, 'EdDSA'],
    ['x with padding', { ...ec, x: `${ec.x}=` }, 'ES256'],
    ['another curve', { ...ec, crv: 'P-384' }, 'ES256'],
    ['no curve', { ...ec, crv: undefined }, 'ES256'],
    ['coordinates of another curve', ec, 'ES384'],
    ['a short x', { ...ec, x: octets(31) }, 'ES256'],
    ['a long x', { ...ec, x: octets(33) }, 'ES256'],
    ['a short y', { ...ec, y: octets(31) }, 'ES256'],
    ['a long y', { ...ec, y: octets(33) }, 'ES256'],
    ['a y with padding', { ...ec, y: `${ec.y}=` }, 'ES256'],
    ['no x', { ...ec, x: undefined }, 'ES256'],
    ['no y', { ...ec, y: undefined }, 'ES256'],
    ['an x in a list', { ...ec, x: [ec.x] }, 'ES256'],
    ['a y in a list', { ...ec, y: [ec.y] }, 'ES256'],
    ['a short Ed25519 key', { ...okp, x: octets(31) }, 'EdDSA'],
    ['X25519', { ...okp, crv: 'X25519' }, 'EdDSA'],
    ['a use for encryption', { ...ec, use: 'enc' }, 'ES256'],
    ['a use of null', { ...ec, use: null }, 'ES256'],
    ['no operation', { ...ec, key_ops: [] }, 'ES256'],
    ['another operation', { ...ec, key_ops: ['sign'] }, 'ES256'],
    ['an operation twice', { ...ec, key_ops: ['verify', 'verify'] }, 'ES256'],
    ['an operation beside it', { ...ec, key_ops: ['verify', 'sign'] }, 'ES256'],
    ['operations as text', { ...ec, key_ops: 'verify' }, 'ES256'],
    ['operations like a list', { ...ec, key_ops: { 0: 'verify', length: 1 } }, 'ES256'],
    ['ext as text', { ...ec, ext: 'true' }, 'ES256'],
    ['another algorithm', { ...ec, alg: 'ES384' }, 'ES256'],
    ['an algorithm of null', { ...ec, alg: null }, 'ES256'],
    ['2047 bits', { ...rsa, n: octets(256, 0x7f) }, 'RS256'],
    ['1024 bits', { ...rsa, n: octets(128) }, 'RS256'],
    ['a zero ahead of 2048 bits', { ...rsa, n: octets(257, 0) }, 'RS256'],
    ['8200 bits', { ...rsa, n: octets(1025) }, 'RS256'],
    ['no modulus', { ...rsa, n: undefined }, 'RS256'],
    ['an empty modulus', { ...rsa, n: '' }, 'RS256'],
    ['a modulus in a list', { ...rsa, n: [rsa.n] }, 'RS256'],
    ['a modulus that is no base64url', { ...rsa, n: `${rsa.n}=` }, 'RS256'],
    ['no exponent', { ...rsa, e: undefined }, 'RS256'],
    ['an empty exponent', { ...rsa, e: '' }, 'RS256'],
    ['an exponent in a list', { ...rsa, e: ['AQAB'] }, 'RS256'],
    ['an exponent that is no base64url', { ...rsa, e: 'AQAB=' }, 'RS256'],
    ['an exponent of 1', exponent(1), 'RS256'],
    ['an even exponent', exponent(1, 2), 'RS256'],
    ['an exponent of 256', exponent(1, 0), 'RS256'],
    ['an exponent of 0', exponent(0), 'RS256'],
    ['a zero ahead of the exponent', exponent(0, 3), 'RS256'],
    ['an exponent of five octets', exponent(1, 0, 0, 0, 1), 'RS256'],
  ])('takes no %s', (_name, key, alg) => {
    expect(read(key, alg)).toBeUndefined()
  })
})
