import { readdirSync, readFileSync } from 'node:fs'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { decodeBase64url, importVerifyKey, verifySignature } from '#crypto'
import { valueOf } from '../../test/value-of.ts'
import type { Jwk } from '../identity/identity.ts'
import type { SignatureAlgorithm } from './algorithm.ts'
import { preflight } from './preflight.ts'
import { jwkThumbprint } from './thumbprint.ts'

const vectors = new URL('../../vectors/', import.meta.url)
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, vectors), 'utf8'))
const everything = {
  typ: ['', 'JWT', 'at+jwt'],
  alg: ['ES256', 'ES384', 'ES512', 'RS256', 'PS384', 'EdDSA'],
  maxBytes: 8192,
}

const rfc7515 = read('rfc7515/appendix-a.json') as {
  readonly signed: readonly { name: string; alg: SignatureAlgorithm; jwk: Jwk; compact: string }[]
  readonly refused: readonly { name: string; compact: string; reason: string }[]
}

describe('RFC 7515 appendix A', () => {
  test.each(rfc7515.signed)('$name holds, here and for jose', async ({ alg, jwk, compact }) => {
    const key = valueOf(await importVerifyKey(jwk, alg))
    const [header = '', payload = '', signature = ''] = compact.split('.')
    const bytes = decodeBase64url(signature) ?? new Uint8Array()
    expect(await verifySignature(key, `${header}.${payload}`, bytes)).toBe(true)
    expect(await verifySignature(key, `${payload}.${header}`, bytes)).toBe(false)
    await expect(compactVerify(compact, await importJWK(jwk as JWK, alg), { algorithms: [alg] })).resolves.toBeDefined()
  })

  test.each(rfc7515.refused)('$name is refused', ({ compact, reason }) => {
    expect(preflight(compact, everything)).toMatchObject({ ok: false, reason })
  })

  test('A.4 has a payload that is no JSON, which no token of ours may have', () => {
    const last = rfc7515.signed.find(({ alg }) => alg === 'ES512')
    expect(preflight(last?.compact ?? '', everything)).toMatchObject({ ok: false, reason: 'token-malformed' })
  })
})

interface Cookbook {
  readonly input: { readonly key: Jwk; readonly alg: string }
  readonly output: Readonly<Record<string, unknown>>
}
const cookbook = ['jws', 'curve25519', 'rfc7797'].flatMap((folder) =>
  readdirSync(new URL(`ietf-jose-cookbook/${folder}/`, vectors)).map((file) => `${folder}/${file}`),
)
/** Everything of RFC 7520 and 7797 that is a MAC, detached, unencoded, or not compact. */
const HOLDS = [
  'jws/4_1.rsa_v15_signature.json',
  'jws/4_2.rsa-pss_signature.json',
  'jws/4_3.ecdsa_signature.json',
  'curve25519/jws.json',
]

describe('RFC 7520, RFC 8037 and RFC 7797', () => {
  test.each(cookbook)('%s: whatever form it has, it is no token of ours', (path) => {
    // Those that hold have prose as payload.
    const { output } = read(`ietf-jose-cookbook/${path}`) as Cookbook
    const forms = Object.values(output).map((form) => (typeof form === 'string' ? form : JSON.stringify(form)))
    expect(forms.length).toBeGreaterThan(0)
    for (const form of forms) expect(preflight(form, everything)).toMatchObject({ ok: false })
  })

  test.each(HOLDS)('%s: its signature holds, here and for jose', async (path) => {
    const { input, output } = read(`ietf-jose-cookbook/${path}`) as Cookbook
    const { kty, crv, x, y, n, e } = input.key
    const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as Jwk
    const compact = output['compact'] as string
    const at = compact.lastIndexOf('.')
    const key = valueOf(await importVerifyKey(jwk, input.alg as SignatureAlgorithm))
    const signature = decodeBase64url(compact.slice(at + 1)) ?? new Uint8Array()
    expect(await verifySignature(key, compact.slice(0, at), signature)).toBe(true)
    await expect(compactVerify(compact, await importJWK(jwk as JWK, input.alg))).resolves.toBeDefined()
    expect(jwkThumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk as JWK))
  })

  test.each([
    ['3_1.ec_public_key', 'ES512', true],
    ['3_2.ec_private_key', 'ES512', false],
    ['3_3.rsa_public_key', 'RS256', true],
    ['3_4.rsa_private_key', 'RS256', false],
    ['3_5.symmetric_key_mac_computation', 'ES256', false],
    ['3_6.symmetric_key_encryption', 'ES256', false],
  ] as const)('jwk %s for %s: imported is %s', async (name, alg, isGood) => {
    const jwk = read(`ietf-jose-cookbook/jwk/${name}.json`) as Jwk
    expect((await importVerifyKey(jwk, alg)).ok).toBe(isGood)
  })
})
