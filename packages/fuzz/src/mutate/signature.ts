import { createHmac, sign } from 'node:crypto'
import type { FuzzKey } from '../keys.ts'
import type { Random } from '../run/random.ts'

/** Ways to bend a signature, by name. `good` is as it should be; `mirror` is another spelling of a good ECDSA one. */
export const SIGNATURE_GAMES = [
  'good',
  'mirror',
  'zero',
  'zero-r',
  'zero-s',
  'order-r',
  'order-s',
  'order',
  'ones',
  'der',
  'short',
  'long',
  'leading-zero',
  'swapped',
  'flipped',
  'hmac',
  'of-payload',
] as const
export type SignatureGame = (typeof SIGNATURE_GAMES)[number]

const ORDERS: Readonly<Record<string, string>> = {
  ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ES384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ES512:
    '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
}

export const pickGame = (random: Random): SignatureGame => (random.oneIn(10) ? random.pick(SIGNATURE_GAMES) : 'good')

const HASHES: Readonly<Record<string, string>> = { ES384: 'sha384', ES512: 'sha512' }

/** A signature as RFC 7518 and RFC 8037 write it. */
export function signBytes({ alg, privateKey }: FuzzKey, input: Buffer): Buffer {
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, input, privateKey)
  const pss = alg.startsWith('PS') ? { padding: 6, saltLength: 32 } : {}
  return sign(HASHES[alg] ?? 'sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363', ...pss })
}

/** The signature of `input` with a game played on it. */
export function bentSignature(key: FuzzKey, input: string, game: SignatureGame): Buffer {
  const good = signBytes(key, Buffer.from(input))
  const half = good.length / 2
  const [r, s] = [good.subarray(0, half), good.subarray(half)]
  const order = Buffer.from(ORDERS[key.alg] ?? 'ff'.repeat(Math.ceil(half)), 'hex')
  const none = Buffer.alloc(Math.floor(half))
  switch (game) {
    case 'good':
      return good
    case 'mirror':
      return mirrored(key, good)
    case 'zero':
      return Buffer.alloc(good.length)
    case 'zero-r':
      return Buffer.concat([none, s])
    case 'zero-s':
      return Buffer.concat([r, none])
    case 'order-r':
      return Buffer.concat([order, s])
    case 'order-s':
      return Buffer.concat([r, order])
    case 'order':
      return Buffer.concat([order, order])
    case 'ones':
      return Buffer.alloc(good.length, 0xff)
    case 'der':
      return key.alg.startsWith('ES')
        ? sign(HASHES[key.alg] ?? 'sha256', Buffer.from(input), key.privateKey)
        : good.subarray(1)
    case 'short':
      return good.subarray(0, -1)
    case 'long':
      return Buffer.concat([good, Buffer.alloc(1)])
    case 'leading-zero':
      return Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s])
    case 'swapped':
      return Buffer.concat([s, r])
    case 'flipped':
      return Buffer.concat([good.subarray(0, -1), Buffer.from([(good.at(-1) ?? 0) ^ 1])])
    case 'hmac':
      return createHmac('sha256', JSON.stringify(key.jwk)).update(input).digest()
    default:
      return signBytes(key, Buffer.from(input.split('.')[1] ?? ''))
  }
}

/** s replaced by n - s: as valid as before, in other bytes. */
function mirrored({ alg }: FuzzKey, good: Buffer): Buffer {
  const order = ORDERS[alg]
  if (order === undefined) return good
  const half = good.length / 2
  const s = BigInt(`0x${order}`) - BigInt(`0x${good.subarray(half).toString('hex')}`)
  return Buffer.concat([good.subarray(0, half), Buffer.from(s.toString(16).padStart(half * 2, '0'), 'hex')])
}
