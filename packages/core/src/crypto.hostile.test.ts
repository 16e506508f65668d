import { constants, sign } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { segment, signer } from '../test/signer.ts'
import { valueOf } from '../test/value-of.ts'
import * as node from './crypto.node.ts'
import * as web from './crypto.web.ts'
import type { SignatureAlgorithm } from './token/algorithm.ts'

/** Orders of the groups, in big-endian octets but for Ed25519, which counts from the other end. */
const ORDERS = {
  ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ES384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ES512:
    '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
} as const
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const big = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)
const octets = (value: bigint, length: number) => Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')

type Row = readonly [name: string, alg: SignatureAlgorithm, bend: (good: Buffer, input: string) => Buffer]
const keys = new Map(
  (['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'PS256'] as const).map((alg) => [alg as string, signer(alg)]),
)
const keyOf = (alg: string) => keys.get(alg) ?? signer()

const curves = (['ES256', 'ES384', 'ES512'] as const).flatMap((alg): Row[] => {
  const n = Buffer.from(ORDERS[alg], 'hex')
  const size = n.length
  const r = (good: Buffer) => good.subarray(0, size)
  const s = (good: Buffer) => good.subarray(size)
  const zero = Buffer.alloc(size)
  const one = octets(1n, size)
  return [
    ['r = s = 0', alg, () => Buffer.alloc(2 * size)],
    ['r = 0', alg, (good) => Buffer.concat([zero, s(good)])],
    ['s = 0', alg, (good) => Buffer.concat([r(good), zero])],
    ['r = n', alg, (good) => Buffer.concat([n, s(good)])],
    ['s = n', alg, (good) => Buffer.concat([r(good), n])],
    ['r = s = n', alg, () => Buffer.concat([n, n])],
    ['r = 1, s = 1', alg, () => Buffer.concat([one, one])],
    ['r = 1, s = n - 1', alg, () => Buffer.concat([one, octets(big(n) - 1n, size)])],
    ['r = n - 1, s = n - 1', alg, () => Buffer.concat([octets(big(n) - 1n, size), octets(big(n) - 1n, size)])],
    ['all ones', alg, () => Buffer.alloc(2 * size, 0xff)],
    ['r and s swapped', alg, (good) => Buffer.concat([s(good), r(good)])],
    ['r negated', alg, (good) => Buffer.concat([octets(big(n) - big(r(good)), size), s(good)])],
    ['DER', alg, (_good, input) => sign(`sha${alg.slice(2)}`, Buffer.from(input), keyOf(alg).key)],
    ['one octet less', alg, (good) => good.subarray(0, -1)],
    ['one octet more', alg, (good) => Buffer.concat([good, Buffer.alloc(1)])],
    [
      'a zero ahead of each half',
      alg,
      (good) => Buffer.concat([zero.subarray(0, 1), r(good), zero.subarray(0, 1), s(good)]),
    ],
    ['twice', alg, (good) => Buffer.concat([good, good])],
    [
      'of another hash',
      alg,
      (_good, input) => sign('sha1', Buffer.from(input), { key: keyOf(alg).key, dsaEncoding: 'ieee-p1363' }),
    ],
    [
      'of the payload alone',
      alg,
      (_good, input) => Buffer.from(keyOf(alg).signature(input.split('.')[1] ?? ''), 'base64url'),
    ],
  ]
})

/** S + L is the same signature to a verifier that does not look (RFC 8032 section 5.1.7). */
function malleated(good: Buffer): Buffer {
  const s = big(Buffer.from(good.subarray(32)).reverse())
  return Buffer.concat([good.subarray(0, 32), octets(s + ED25519_ORDER, 32).reverse()])
}

const others: readonly Row[] = [
  ['S + L', 'EdDSA', malleated],
  ['S = 0 and R the neutral element', 'EdDSA', () => Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])],
  ['all zero', 'EdDSA', () => Buffer.alloc(64)],
  ['R and S swapped', 'EdDSA', (good) => Buffer.concat([good.subarray(32), good.subarray(0, 32)])],
  ['one octet more', 'EdDSA', (good) => Buffer.concat([good, Buffer.alloc(1)])],
  ['all zero', 'RS256', (good) => Buffer.alloc(good.length)],
  ['one', 'RS256', (good) => octets(1n, good.length)],
  ['a zero ahead', 'RS256', (good) => Buffer.concat([Buffer.alloc(1), good])],
  ['its first octet missing', 'RS256', (good) => good.subarray(1)],
  ['PSS for PKCS 1', 'RS256', (_good, input) => pss(input, 32)],
  ['SHA-1', 'RS256', (_good, input) => sign('sha1', Buffer.from(input), keyOf('RS256').key)],
  ['PKCS 1 for PSS', 'PS256', (_good, input) => sign('sha256', Buffer.from(input), keyOf('PS256').key)],
  ['PSS without salt', 'PS256', (_good, input) => pss(input, 0, 'PS256')],
  ['PSS with a longer salt', 'PS256', (_good, input) => pss(input, 64, 'PS256')],
]

function pss(input: string, saltLength: number, alg = 'RS256'): Buffer {
  return sign('sha256', Buffer.from(input), {
    key: keyOf(alg).key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  })
}

describe.each([
  ['node', node],
  ['web', web],
] as const)('verifySignature() on %s, judged by jose', (_platform, crypto) => {
  test.each([...curves, ...others])('refuses %s (%s)', async (_name, alg, bend) => {
    const { jwk, signature } = keyOf(alg)
    const input = `${segment({ alg })}.${segment({ a: 1 })}`
    const good = Buffer.from(signature(input), 'base64url')
    const bad = bend(good, input)
    const key = valueOf(await crypto.importVerifyKey(jwk, alg))
    expect(await crypto.verifySignature(key, input, good)).toBe(true)
    expect(await crypto.verifySignature(key, input, bad)).toBe(false)
    const theirs = await importJWK(jwk as JWK, alg)
    await expect(
      compactVerify(`${input}.${bad.toString('base64url')}`, theirs, { algorithms: [alg] }),
    ).rejects.toBeDefined()
  })
})
