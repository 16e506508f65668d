import { describe, expect, test } from 'vitest'
import { generateSigner } from './signer.ts'
import { generateSigningKeys, OVERLAP_SECONDS, signingKeys } from './signing-keys.ts'

const NOW = 1_795_300_000
const kids = (keys: ReturnType<typeof signingKeys>, now: number) => keys.jwks(now).keys.map(({ kid }) => kid)

describe('signingKeys()', () => {
  test('signingKeys() publishes current, next and what retires until it is over', () => {
    const [current, next, old] = [generateSigner(), generateSigner(), generateSigner()]
    const publicJwk = { ...old.publicJwk, kid: old.kid }
    const keys = signingKeys({ current, next, retiring: [{ publicJwk, until: NOW + 10 }] })
    expect(kids(keys, NOW + 9)).toEqual([current.kid, next.kid, old.kid])
    expect(kids(keys, NOW + 10)).toEqual([current.kid, next.kid])
  })

  test('rotate() signs with the next key and keeps the last one for the longest life of a token', () => {
    const [first, second, third] = [generateSigner(), generateSigner(), generateSigner()]
    const keys = signingKeys({ current: first, next: second })
    expect(keys.rotate(NOW, third)).toEqual({ kid: second.kid, retired: first.kid })
    expect(keys.current().kid).toBe(second.kid)
    expect(keys.find(first.kid, NOW + OVERLAP_SECONDS - 1)).toMatchObject({ kid: first.kid })
    expect(keys.find(first.kid, NOW + OVERLAP_SECONDS)).toBeUndefined()
    expect(kids(keys, NOW + OVERLAP_SECONDS)).toEqual([second.kid, third.kid])
  })

  test('rotate() without a next key throws and goes on signing', () => {
    const current = generateSigner()
    const keys = signingKeys({ current })
    expect(() => keys.rotate(NOW)).toThrow(expect.objectContaining({ code: 'key-unavailable' }) as Error)
    expect(keys.current().kid).toBe(current.kid)
  })

  test('signingKeys() publishes public members only, whatever a signer says its public key is', () => {
    const signer = generateSigner()
    const keys = signingKeys({ current: { ...signer, publicJwk: { ...signer.publicJwk, d: 'secret', use: 'enc' } } })
    expect(JSON.stringify(keys.jwks(NOW))).not.toContain('secret')
    expect(keys.jwks(NOW).keys[0]).toMatchObject({ use: 'sig' })
  })

  const signer = generateSigner()
  test.each([
    ['two keys of one id', () => signingKeys({ current: signer, next: signer })],
    ['an unknown algorithm', () => signingKeys({ current: { ...signer, alg: 'HS256' as 'ES256' } })],
    ['no key id', () => signingKeys({ current: { ...signer, kid: '' } })],
    [
      'a retiring key without an end',
      () =>
        signingKeys({
          current: signer,
          retiring: [{ publicJwk: { ...generateSigner().publicJwk, kid: 'a' }, until: Number.NaN }],
        }),
    ],
    [
      'a following key of a known id',
      () =>
        generateSigningKeys().rotate(NOW, undefined) &&
        signingKeys({ current: signer, next: generateSigner() }).rotate(NOW, signer),
    ],
  ])('signingKeys() refuses %s', (_name, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error)
  })
})
