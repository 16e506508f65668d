import { describe, expect, test } from 'vitest'
import { jws, keyPair } from '../../test/holder.ts'
import { createOwnTokens } from './own-tokens.ts'
import { generateSigner } from './signer.ts'
import { generateSigningKeys, OVERLAP_SECONDS, signingKeys } from './signing-keys.ts'

const NOW = 1_795_300_000
const payload = JSON.stringify({ sub: 'é', n: 1 })

describe('createOwnTokens()', () => {
  test('createOwnTokens() recognises what it signed, the first time and later', async () => {
    const tokens = createOwnTokens(generateSigningKeys(), () => NOW)
    const token = await tokens.sign(payload, 'at+jwt')
    expect(await tokens.verify(token)).toEqual({ ok: true, value: { sub: 'é', n: 1 } })
    expect(await tokens.verify(token)).toEqual({ ok: true, value: { sub: 'é', n: 1 } })
  })

  test('createOwnTokens() refuses a remembered token with any byte changed', async () => {
    const tokens = createOwnTokens(generateSigningKeys(), () => NOW)
    const token = await tokens.sign(payload, 'at+jwt')
    await tokens.verify(token)
    const changed = Array.from(token).map(
      (letter, at) => token.slice(0, at) + (letter === 'A' ? 'B' : 'A') + token.slice(at + 1),
    )
    const results = await Promise.all(changed.map(async (other) => tokens.verify(other)))
    expect(results.filter(({ ok }) => ok)).toEqual([])
  })

  test('createOwnTokens() forgets a token together with its key', async () => {
    const time = { now: NOW }
    const keys = generateSigningKeys()
    const tokens = createOwnTokens(keys, () => time.now)
    const token = await tokens.sign(payload, 'at+jwt')
    await tokens.verify(token)
    keys.rotate(time.now)
    expect((await tokens.verify(token)).ok).toBe(true)
    time.now += OVERLAP_SECONDS
    expect(await tokens.verify(token)).toMatchObject({ ok: false, reason: 'token-key-unknown' })
  })

  test('createOwnTokens() refuses other kinds, other keys and itself under another typ', async () => {
    const keys = generateSigningKeys()
    const tokens = createOwnTokens(keys, () => NOW)
    const forged = jws({ typ: 'at+jwt', alg: 'ES256', kid: keys.current().kid }, { sub: 'x' }, keyPair().privateKey)
    expect(await tokens.verify(forged)).toMatchObject({ ok: false, reason: 'token-signature' })
    expect(await tokens.verify(await tokens.sign(payload, 'statuslist+jwt'))).toMatchObject({
      ok: false,
      reason: 'token-type',
    })
    expect(await tokens.verify(jws({ typ: 'at+jwt', alg: 'ES256' }, {}, keyPair().privateKey))).toMatchObject({
      reason: 'token-key-unknown',
    })
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['answers with DER', () => new Uint8Array(71)],
    ['answers later with too little', () => Promise.resolve(new Uint8Array(1))],
  ])('createOwnTokens() throws key-unavailable when a signer %s', async (_name, sign) => {
    const tokens = createOwnTokens(signingKeys({ current: { ...generateSigner(), sign } }), () => NOW)
    await expect((async () => tokens.sign(payload, 'at+jwt'))()).rejects.toMatchObject({
      code: 'key-unavailable',
      message: expect.not.stringContaining('secret') as string,
    })
  })

  test('createOwnTokens() takes a signer that answers later', async () => {
    const signer = generateSigner()
    const tokens = createOwnTokens(
      signingKeys({ current: { ...signer, sign: async (data) => signer.sign(data) } }),
      () => NOW,
    )
    expect((await tokens.verify(await tokens.sign(payload, 'at+jwt'))).ok).toBe(true)
  })
})
