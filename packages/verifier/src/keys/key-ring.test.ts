import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { Jwk } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import { createKeyRing } from './key-ring.ts'

const ENCODING = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const
const pair = newKeyPair()
const other = newKeyPair()
const jwk = (kid: string, more: object = {}): Jwk => ({ ...pair.publicJwk, kid, ...more })
const named = (count: number) => Array.from({ length: count }, (_, index) => jwk(`k${index}`))

function ringOf(...keys: Jwk[]) {
  const ring = createKeyRing(['ES256', 'ES384'])
  const replaced = ring.replace({ keys })
  return { ring, replaced }
}

describe('createKeyRing()', () => {
  test('finds each key by its id, with the one algorithm it is for', () => {
    const { ring, replaced } = ringOf(jwk('a', { alg: 'ES256' }), jwk('b'))
    expect(isPromise(replaced)).toBe(false)
    expect([ring.get('a'), ring.get('b'), ring.get('c')]).toMatchObject([
      { kid: 'a', algorithm: 'ES256', live: true },
      { kid: 'b', algorithm: 'ES256', live: true },
      undefined,
    ])
  })

  test.each<{ name: string; keys: Jwk[]; kid: string }>([
    { name: 'without an id', keys: [{ ...pair.publicJwk }], kid: 'undefined' },
    { name: 'whose id is too long', keys: [jwk('k'.repeat(129))], kid: 'k'.repeat(129) },
    { name: 'for an algorithm that is not configured', keys: [jwk('a', { alg: 'ES512' })], kid: 'a' },
    { name: 'for an algorithm of another curve', keys: [jwk('a', { alg: 'ES384' })], kid: 'a' },
    { name: 'without algorithm and curve', keys: [jwk('a', { crv: undefined })], kid: 'a' },
    { name: 'on a curve that is no text', keys: [jwk('a', { crv: ['P-256'] })], kid: 'a' },
    { name: 'on a curve that every object has', keys: [jwk('a', { crv: 'constructor' })], kid: 'a' },
    { name: 'of RSA without an algorithm', keys: [{ kty: 'RSA', kid: 'a', n: 'AQAB', e: 'AQAB' }], kid: 'a' },
    { name: 'whose id another one has too', keys: [jwk('a'), { ...other.publicJwk, kid: 'a' }], kid: 'a' },
    { name: 'that stands there twice', keys: [jwk('a'), jwk('a')], kid: 'a' },
    { name: 'whose id one has that is not used', keys: [jwk('a'), { kty: 'oct', kid: 'a' }], kid: 'a' },
    { name: 'behind the thirty-second', keys: named(33), kid: 'k32' },
    { name: 'with its private half', keys: [jwk('a', { d: 'AAAA' })], kid: 'a' },
  ])('leaves out a key $name', async ({ keys, kid }) => {
    const { ring, replaced } = ringOf(...keys)
    await replaced
    expect(ring.get(kid)).toBeUndefined()
  })

  test.each<{ name: string; keys: Jwk[]; kid: string }>([
    { name: 'whose id is as long as it may be', keys: [jwk('k'.repeat(128))], kid: 'k'.repeat(128) },
    { name: 'that is the thirty-second', keys: named(33), kid: 'k31' },
    { name: 'beside two of another id', keys: [jwk('b'), jwk('b'), jwk('a')], kid: 'a' },
    { name: 'beside two without an id', keys: [{ ...pair.publicJwk }, { ...other.publicJwk }, jwk('a')], kid: 'a' },
  ])('keeps a key $name', async ({ keys, kid }) => {
    const { ring, replaced } = ringOf(...keys)
    await replaced
    expect(ring.get(kid)).toMatchObject({ kid, live: true })
  })

  test('leaves out an RSA key without an algorithm, though it could verify with the only one there is', async () => {
    const encoded = generateKeyPairSync('rsa', { modulusLength: 2048, ...ENCODING })
    const rsa = { ...(createPublicKey(encoded.publicKey).export({ format: 'jwk' }) as Jwk), kid: 'a' }
    const ring = createKeyRing(['RS256'])
    await ring.replace({ keys: [rsa, { ...rsa, kid: 'b', alg: 'RS256' }] })
    expect([ring.get('a'), ring.get('b')?.algorithm]).toEqual([undefined, 'RS256'])
  })

  test('an id that is held twice beyond the limit is held twice', () => {
    const { ring } = ringOf(...named(32), jwk('k0'))
    expect([ring.get('k0'), ring.get('k1')?.live]).toEqual([undefined, true])
  })

  test('keys that stay are the same, keys that leave are dead, keys of other material are others', async () => {
    const { ring } = ringOf(jwk('stays'), jwk('leaves'), jwk('changes'))
    const [stays, leaves, changes] = ['stays', 'leaves', 'changes'].map((kid) => ring.get(kid))
    await ring.replace({ keys: [jwk('stays'), { ...other.publicJwk, kid: 'changes' }] })
    expect(ring.get('stays')).toBe(stays)
    expect(ring.get('changes')).not.toBe(changes)
    expect([stays?.live, leaves?.live, changes?.live, ring.get('changes')?.live]).toEqual([true, false, false, true])
    expect(ring.get('leaves')).toBeUndefined()
  })

  test('a key that comes back is another one: what it verified before stays dead', async () => {
    const { ring } = ringOf(jwk('a'))
    const before = ring.get('a')
    await ring.replace({ keys: [] })
    await ring.replace({ keys: [jwk('a')] })
    expect([before?.live, ring.get('a')?.live, ring.get('a') === before]).toEqual([false, true, false])
  })

  test.each([
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
    ['Ed25519', 'EdDSA'],
  ] as const)('reads the algorithm off the curve %s: %s', async (crv, algorithm) => {
    const { publicKey } =
      crv === 'Ed25519'
        ? generateKeyPairSync('ed25519', ENCODING)
        : generateKeyPairSync('ec', { namedCurve: crv, ...ENCODING })
    const key = { ...(createPublicKey(publicKey).export({ format: 'jwk' }) as Jwk), kid: 'a' }
    const ring = createKeyRing([algorithm])
    await ring.replace({ keys: [key] })
    expect(ring.get('a')).toMatchObject({ algorithm, live: true })
  })
})
