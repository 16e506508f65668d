import { sha256Base64url, verifyProof } from '@hallpass/core'
import * as fc from 'fast-check'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { generateClientKey } from '#crypto'
import * as web from '../crypto.web.ts'
import { createProofMaker } from './proof-maker.ts'

const url = 'https://orders.test/orders/123/refund'
const now = 1_795_300_000.7
const keys = [
  ['node:crypto', async () => generateClientKey()],
  ['WebCrypto', () => web.generateClientKey()],
] as const

describe.each(keys)('createProofMaker() on %s', (_name, generate) => {
  test('createProofMaker() makes proofs that the verifier of core takes', async () => {
    const maker = createProofMaker(await generate())
    const token = 'a.b.c'
    const query = 'search=a%20b'
    const body = '{"amount":"42.00"}'
    const ath = sha256Base64url(token)
    const proof = await maker.proof({ method: 'POST', url, now, ath, body, query, nonce: 'n-1' })
    const expected = { method: 'POST', url, now, accessToken: token, jkt: maker.jkt, body: Buffer.from(body), query }
    const verified = await verifyProof(proof, {
      ...expected,
      requireQueryDigest: true,
      nonce: (nonce) => nonce === 'n-1',
    })
    expect(verified).toMatchObject({ ok: true, value: { jkt: maker.jkt, iat: Math.floor(now), queryBound: true } })
  })

  test('createProofMaker() makes proofs that jose takes, with a public key and nothing more', async () => {
    const maker = createProofMaker(await generate())
    const proof = await maker.proof({ method: 'GET', url, now })
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      currentDate: new Date(now * 1000),
    })
    expect(payload).toEqual({ jti: expect.stringMatching(/^[\w-]{22}$/), htm: 'GET', htu: url, iat: 1_795_300_000 })
    expect(Object.keys(protectedHeader.jwk ?? {}).toSorted()).toEqual(['crv', 'kty', 'x', 'y'])
    expect(await calculateJwkThumbprint(protectedHeader.jwk ?? { kty: '' })).toBe(maker.jkt)
  })

  test('createProofMaker() never makes the same proof twice', async () => {
    const maker = createProofMaker(await generate())
    const proofs = await Promise.all(Array.from({ length: 600 }, async () => maker.proof({ method: 'GET', url, now })))
    const ids = proofs.map(
      (proof) => JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()).jti as string,
    )
    expect(new Set(ids).size).toBe(600)
  })
})

describe('createProofMaker()', () => {
  test('createProofMaker() writes claims that read back as they were given, whatever is in them', () => {
    const maker = createProofMaker(generateClientKey())
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, fc.webUrl(), text, (method, htu, nonce) => {
        const proof = maker.proof({ method, url: htu, now, nonce }) as string
        const claims = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as Record<
          string,
          unknown
        >
        expect(claims).toMatchObject({ htm: method, htu, nonce })
      }),
      { numRuns: 100 },
    )
  })

  test('createProofMaker() signs at once on Node', () => {
    expect(createProofMaker(generateClientKey()).proof({ method: 'GET', url, now })).toBeTypeOf('string')
  })
})

describe('generateClientKey()', () => {
  test('generateClientKey() gives nothing but the public half and a way to sign', async () => {
    for (const key of [generateClientKey(), await web.generateClientKey()]) {
      expect(Object.keys(key).toSorted()).toEqual(['jwk', 'sign'])
      expect(key.jwk).not.toHaveProperty('d')
    }
  })
})
