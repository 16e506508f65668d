import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { generateSigner, privateKeySigner } from './signer.ts'

const data = Buffer.from('header.payload')

// Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
const asPem = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const

describe('privateKeySigner()', () => {
  test('privateKeySigner() signs in JWS form, and its public half verifies', () => {
    const pair = keyPair()
    const signature = privateKeySigner(pair.privateKey).sign(data) as Uint8Array
    expect(signature.length).toBe(64)
    const key = { key: pair.publicJwk, format: 'jwk', dsaEncoding: 'ieee-p1363' } as never
    expect(verify('sha256', data, key, signature)).toBe(true)
  })

  test('privateKeySigner() takes a private JWK and publishes no private member', () => {
    const jwk = keyPair().privateKey.export({ format: 'jwk' })
    const { publicJwk, kid } = privateKeySigner(jwk as never, 'key-1')
    expect(kid).toBe('key-1')
    expect(publicJwk).toEqual({ kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y, kid: 'key-1', alg: 'ES256', use: 'sig' })
  })

  test('privateKeySigner() names a key by its thumbprint unless told otherwise', () => {
    const pair = keyPair()
    expect(privateKeySigner(pair.privateKey).kid).toBe(pair.jkt)
  })

  test.each([
    ['a public JWK', () => keyPair().publicJwk],
    [
      'a key on another curve',
      () =>
        createPrivateKey(generateKeyPairSync('ec', { namedCurve: 'P-384', ...asPem }).privateKey as unknown as string),
    ],
    [
      'an RSA key',
      () =>
        createPrivateKey(generateKeyPairSync('rsa', { modulusLength: 2048, ...asPem }).privateKey as unknown as string),
    ],
    ['a public KeyObject', () => createPublicKey(keyPair().privateKey)],
    ['rubbish', () => ({ kty: 'EC', d: 'secret-value' })],
  ])('privateKeySigner() refuses %s and says nothing of it', (_name, key) => {
    const attempt = () => privateKeySigner(key())
    expect(attempt).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error)
    expect(attempt).not.toThrow(/secret-value/)
  })

  test('generateSigner() makes another key each time', () => {
    expect(generateSigner().kid).not.toBe(generateSigner().kid)
  })
})
