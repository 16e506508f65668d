import { createHmac, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signer } from '../test/signer.ts'
import { valueOf } from '../test/value-of.ts'
import * as node from './crypto.node.ts'
import * as web from './crypto.web.ts'
import type { Jwk } from './identity/identity.ts'
import { isPromise } from './result.ts'
import type { SignatureAlgorithm } from './token/algorithm.ts'

const both = [
  ['node', node],
  ['web', web],
  ['node on the thread pool', { ...node, verifySignature: node.pooledSignatureCheck({ atOncePerTurn: 0 }) }],
] as const

const algorithms: SignatureAlgorithm[] = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
]
const signers = new Map(algorithms.map((alg) => [alg, signer(alg)]))
const of = (alg: SignatureAlgorithm) => signers.get(alg) ?? signer(alg)
const bytes = (text: string) => Buffer.from(text, 'base64url')
const flip = (signature: string, at: number) => {
  const octets = bytes(signature)
  octets[at] = (octets[at] ?? 0) ^ 1
  return octets
}

interface CookbookCase {
  readonly input: { readonly key: Jwk; readonly alg: SignatureAlgorithm }
  readonly signing: { readonly 'sig-input': string; readonly sig: string }
}
const cookbook = (path: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/ietf-jose-cookbook/${path}`, import.meta.url), 'utf8')) as CookbookCase
const publicPart = ({ kty, crv, x, y, n, e }: Jwk) =>
  Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)) as Jwk

describe.each(both)('crypto.%s', (_name, crypto) => {
  test('hashes as SHA-256', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 200 })), (data) => {
        const hash = () => createHash('sha256').update(data)
        expect(Buffer.from(crypto.sha256(data)).toString('hex')).toBe(hash().digest('hex'))
        expect(crypto.sha256Base64url(data)).toBe(hash().digest('base64url'))
        expect(crypto.sha256Base64(data)).toBe(hash().digest('base64'))
      }),
    )
  })

  // FIPS 180-2 appendix B
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('hashes %j to %s', (text, hex) => {
    const hash = Buffer.from(hex, 'hex')
    for (const data of [text, new TextEncoder().encode(text)]) {
      expect(Buffer.from(crypto.sha256(data)).toString('hex')).toBe(hex)
      expect(crypto.sha256Base64url(data)).toBe(hash.toString('base64url'))
      expect(crypto.sha256Base64(data)).toBe(hash.toString('base64'))
    }
  })

  test('authenticates as RFC 4231, test case 2', () => {
    const hex = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    const answer = crypto.hmacSha256Base64url(new TextEncoder().encode('Jefe'), 'what do ya want for nothing?')
    expect(answer).toBe(Buffer.from(hex, 'hex').toString('base64url'))
  })

  // RFC 4648 section 10, and both characters that base64 writes in another way.
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['foobar', 'Zm9vYmFy'],
    ['\u00fb\u00ff', '-_8'],
  ])('writes %j as base64url %s, and reads it', (octets, text) => {
    const whole = Buffer.from(`<${octets}>`, 'latin1')
    const bytes = new Uint8Array(whole.buffer, whole.byteOffset + 1, octets.length)
    expect(crypto.encodeBase64url(bytes)).toBe(text)
    expect(crypto.decodeBase64url(text)).toEqual(expect.objectContaining({ length: octets.length }))
    expect(Buffer.from(crypto.decodeBase64url(text) ?? []).toString('latin1')).toBe(octets)
  })

  test('authenticates as HMAC-SHA-256', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.string({ unit: 'grapheme' }), (key, data) => {
        expect(crypto.hmacSha256Base64url(key, data)).toBe(createHmac('sha256', key).update(data).digest('base64url'))
      }),
    )
  })

  test('makes ids with 128 bits of their own', () => {
    const ids = Array.from({ length: 600 }, () => crypto.randomId('gr_'))
    expect(ids.every((id) => /^gr_[A-Za-z0-9_-]{22}$/.test(id))).toBe(true)
    expect(new Set(ids).size).toBe(600)
  })

  test('writes and reads base64url', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        const text = crypto.encodeBase64url(data)
        expect(text).toBe(Buffer.from(data).toString('base64url'))
        expect(Array.from(crypto.decodeBase64url(text) ?? [])).toEqual(Array.from(data))
      }),
    )
  })

  test('reads a text of base64url only where it would write it', () => {
    const piece = fc.constantFrom(
      'A',
      'Q',
      'g',
      'w',
      'B',
      '_',
      '-',
      '+',
      '/',
      '=',
      ' ',
      '\n',
      '.',
      'é',
      '\u0141',
      '😀',
      '\u0000',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = pieces.join('')
        const canonical = Buffer.from(text, 'base64url').toString('base64url') === text
        expect(crypto.decodeBase64url(text) !== undefined).toBe(canonical)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    'A',
    'AB',
    'AAB',
    'AA==',
    'AAA=',
    'AAAA=',
    'A A',
    'AA\n',
    ' AA',
    '++++',
    '//8',
    'A.A',
    'AAAAA',
    'Ａ',
    '\u0141AAA',
  ])('refuses %j as base64url', (text) => {
    expect(crypto.decodeBase64url(text)).toBeUndefined()
  })

  test.each([[[0xff]], [[0xc0, 0xaf]], [[0xed, 0xa0, 0x80]], [[0x61, 0xc3]]])(
    'refuses octets %j as UTF-8',
    (octets) => {
      expect(crypto.decodeUtf8(new Uint8Array(octets))).toBeUndefined()
    },
  )

  test('reads UTF-8, byte order mark included', () => {
    expect(crypto.decodeUtf8(new TextEncoder().encode('\ufeffaé😀'))).toBe('\ufeffaé😀')
    expect(crypto.decodeUtf8(new Uint8Array(0))).toBe('')
  })

  test.each(algorithms)('%s: holds for its own signature, and for no other', async (alg) => {
    const { jwk, signature } = of(alg)
    const imported = await crypto.importVerifyKey(jwk, alg)
    expect(imported.ok).toBe(true)
    const key = valueOf(imported)
    const good = signature('a.b')
    expect(await crypto.verifySignature(key, 'a.b', bytes(good))).toBe(true)
    const others: Uint8Array[] = [
      flip(good, 0),
      flip(good, bytes(good).length - 1),
      bytes(good).subarray(1),
      Buffer.concat([bytes(good), Buffer.alloc(1)]),
      Buffer.alloc(0),
      Buffer.alloc(bytes(good).length),
      bytes(signer(alg).signature('a.b')),
    ]
    for (const other of others) expect(await crypto.verifySignature(key, 'a.b', other)).toBe(false)
    expect(await crypto.verifySignature(key, 'a.c', bytes(good))).toBe(false)
  })

  test.each([
    'jws/4_1.rsa_v15_signature.json',
    'jws/4_2.rsa-pss_signature.json',
    'jws/4_3.ecdsa_signature.json',
    'curve25519/jws.json',
  ])('holds for %s', async (path) => {
    const { input, signing } = cookbook(path)
    const key = await crypto.importVerifyKey(publicPart(input.key), input.alg)
    expect(key.ok && (await crypto.verifySignature(key.value, signing['sig-input'], bytes(signing.sig)))).toBe(true)
  })

  test('refuses r = s = 0, s = n, and DER', async () => {
    const { jwk, key: privateKey } = of('ES256')
    const imported = await crypto.importVerifyKey(jwk, 'ES256')
    const key = valueOf(imported)
    const n = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const { sign } = await import('node:crypto')
    const der = sign('sha256', Buffer.from('a.b'), privateKey)
    for (const bad of [Buffer.alloc(64), Buffer.concat([n, n]), Buffer.concat([Buffer.alloc(32), n]), der]) {
      expect(await crypto.verifySignature(key, 'a.b', bad)).toBe(false)
    }
  })

  const ec = of('ES256').jwk as Jwk & { x: string; y: string }
  const rsa = of('RS256').jwk as Jwk & { n: string }
  const ed = of('EdDSA').jwk
  const change = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  test.each<[string, unknown, SignatureAlgorithm]>([
    ['a private EC key', of('ES256').privateJwk, 'ES256'],
    ['a private RSA key', of('RS256').privateJwk, 'RS256'],
    ['a private OKP key', of('EdDSA').privateJwk, 'EdDSA'],
    ['an RSA key with one prime', { ...rsa, p: 'AQAB' }, 'RS256'],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }, 'ES256'],
    ['a key with a secret beside it', { ...ec, k: 'AAAA' }, 'ES256'],
    ['a key of another curve', of('ES384').jwk, 'ES256'],
    ['a key of another type', rsa, 'ES256'],
    ['an RSA key for PSS by name, made for PKCS 1', { ...rsa, alg: 'RS256' }, 'PS256'],
    ['an OKP key for ECDSA', ed, 'ES256'],
    ['X25519', { ...ed, crv: 'X25519' }, 'EdDSA'],
    ['Ed448', { ...ed, crv: 'Ed448' }, 'EdDSA'],
    ['a key for encryption', { ...ec, use: 'enc' }, 'ES256'],
    ['a key for signing only', { ...ec, key_ops: ['sign'] }, 'ES256'],
    ['operations that are text', { ...ec, key_ops: 'verify' }, 'ES256'],
    ['one operation twice', { ...ec, key_ops: ['verify', 'verify'] }, 'ES256'],
    ['a key that also signs', { ...ec, key_ops: ['verify', 'sign'] }, 'ES256'],
    ['no operations', { ...ec, key_ops: [] }, 'ES256'],
    ['an operation in a list', { ...ec, key_ops: [['verify']] }, 'ES256'],
    ['an ext that is text', { ...ec, ext: '' }, 'ES256'],
    ['an ext that is null', { ...ec, ext: null }, 'ES256'],
    ['a point off the curve', { ...ec, y: change(ec.y) }, 'ES256'],
    ['no y', { ...ec, y: undefined }, 'ES256'],
    ['a short x', { ...ec, x: 'AAAA' }, 'ES256'],
    ['a long x', { ...ec, x: `${ec.x}AAAA` }, 'ES256'],
    ['a padded x', { ...ec, x: `${ec.x}=` }, 'ES256'],
    ['x that is a list', { ...ec, x: [ec.x] }, 'ES256'],
    ['the point at infinity', { ...ec, x: 'A'.repeat(43), y: 'A'.repeat(43) }, 'ES256'],
    ['an RSA key of 1024 bits', { ...rsa, n: rsa.n.slice(0, 171) }, 'RS256'],
    ['an RSA key that a zero makes longer', { ...rsa, n: `AA${rsa.n.slice(0, 170)}` }, 'RS256'],
    ['an exponent of 1', { ...rsa, e: 'AQ' }, 'RS256'],
    ['an even exponent', { ...rsa, e: 'Ag' }, 'RS256'],
    ['a huge exponent', { ...rsa, e: 'AQABAQAB' }, 'RS256'],
    ['a modulus of 9000 bits', { ...rsa, n: '_'.repeat(1500) }, 'RS256'],
    ['no key', null, 'ES256'],
    ['text', 'key', 'ES256'],
    ['another algorithm', ec, 'HS256' as SignatureAlgorithm],
    ['none', ec, 'none' as SignatureAlgorithm],
  ])('refuses to import %s', async (_name, jwk, alg) => {
    expect(await crypto.importVerifyKey(jwk as Jwk, alg)).toEqual({ ok: false, reason: 'key-invalid' })
  })

  test('imports a key whose use, operations and algorithm fit', async () => {
    expect(
      (await crypto.importVerifyKey({ ...ec, use: 'sig', key_ops: ['verify'], alg: 'ES256', kid: 'a' }, 'ES256')).ok,
    ).toBe(true)
    expect((await crypto.importVerifyKey({ ...ec, use: 'jwt-svid' }, 'ES256')).ok).toBe(true)
  })
})

test('crypto.node answers without a promise', () => {
  const { jwk, signature } = of('ES256')
  const imported = node.importVerifyKey(jwk, 'ES256')
  expect(isPromise(imported)).toBe(false)
  const key = valueOf(imported as Awaited<typeof imported>)
  expect(node.verifySignature(key, 'a.b', bytes(signature('a.b')))).toBe(true)
})

test('crypto.node answers false where its platform throws', () => {
  const key = { alg: 'ES256', signatureBytes: 64, material: { hash: 'sha256', input: { key: 'no key' } } } as const
  expect(node.verifySignature(key, 'a.b', Buffer.alloc(64))).toBe(false)
})
