import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import * as nodeCrypto from 'node:crypto'
import type { Jwk } from './identity/identity.ts'
import { ok, refuse } from './result.ts'
import type { MaybePromise, Result } from './result.ts'
import { createSignaturePool } from './signature-pool.node.ts'
import type { NodeVerifyInput, SignaturePoolBounds } from './signature-pool.node.ts'
import { algorithmRow } from './token/algorithm.ts'
import type { SignatureAlgorithm, SignatureCheck, VerifyKey } from './token/algorithm.ts'
import { publicJwk } from './token/public-jwk.ts'

const hashOnce: typeof nodeCrypto.hash | undefined = nodeCrypto.hash

/** SHA-256 of bytes, or of the UTF-8 form of a text. */
export function sha256(data: Uint8Array | string): Uint8Array {
  return hashOnce ? hashOnce('sha256', data, 'buffer') : nodeCrypto.createHash('sha256').update(data).digest()
}

/** SHA-256 as base64url, 43 characters. */
export function sha256Base64url(data: Uint8Array | string): string {
  return hashOnce
    ? hashOnce('sha256', data, 'base64url')
    : nodeCrypto.createHash('sha256').update(data).digest('base64url')
}

/** SHA-256 as standard, padded base64: the form RFC 9530 wants. */
export function sha256Base64(data: Uint8Array | string): string {
  return hashOnce ? hashOnce('sha256', data, 'base64') : nodeCrypto.createHash('sha256').update(data).digest('base64')
}

/** HMAC-SHA-256 as base64url. */
export function hmacSha256Base64url(key: Uint8Array, data: string): string {
  return nodeCrypto.createHmac('sha256', key).update(data).digest('base64url')
}

const ID_BYTES = 16
let pool = Buffer.alloc(0)
let used = 0

/** `prefix` and 128 random bits as base64url. */
export function randomId(prefix: string): string {
  // Drawn ahead for 256 ids: one draw each costs more than all else about an id.
  if (used === pool.length) {
    pool = nodeCrypto.randomBytes(ID_BYTES * 256)
    used = 0
  }
  const id = pool.toString('base64url', used, used + ID_BYTES)
  used += ID_BYTES
  return prefix + id
}

/** base64url without padding (RFC 7515 section 2). */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** Bytes of a canonical base64url text; undefined for padding, white space, other alphabets and stray trailing bits. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return isCanonical(text, bytes.length) ? bytes : undefined
}

/** Last characters of a final group whose left-over bits are zero. */
const LAST_OF_TWO = 'AQgw'
const LAST_OF_THREE = 'AEIMQUYcgkosw048'

/**
 * Whether this is the one way to write what was decoded. Node takes both alphabets, skips what is in neither, so that
 * less comes out than went in, and looks at the low octet only of what is beyond Latin-1.
 */
function isCanonical(text: string, decoded: number): boolean {
  const { length } = text
  if (length % 4 === 1 || decoded !== (length * 3) >> 2 || Buffer.byteLength(text) !== length) return false
  if (text.includes('+') || text.includes('/') || text.includes('=')) return false
  if (length % 4 === 0) return true
  return (length % 4 === 2 ? LAST_OF_TWO : LAST_OF_THREE).includes(text.charAt(length - 1))
}

/** Text of well-formed UTF-8; undefined otherwise. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return buffer.toString('latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined
}

/**
 * Imports a public JWK for exactly one algorithm.
 *
 * Refuses private and symmetric keys, wrong curves, RSA below 2048 bits, points that are not on their curve. Answers at
 * once on Node, with a promise elsewhere.
 */
export function importVerifyKey(jwk: Jwk, alg: SignatureAlgorithm): MaybePromise<Result<VerifyKey, 'key-invalid'>> {
  const row = algorithmRow(alg)
  const checked = publicJwk(jwk, alg, decodeBase64url)
  if (row === undefined || checked === undefined) return refuse('key-invalid')
  try {
    const key = nodeCrypto.createPublicKey({ key: checked.members, format: 'jwk' })
    const material = {
      hash: row.hash === null ? null : row.hash.toLowerCase().replace('-', ''),
      input: {
        key,
        ...(row.kty === 'EC' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
        ...(row.pss ? { padding: nodeCrypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: row.salt } : {}),
      },
    }
    return ok({ alg, signatureBytes: checked.signatureBytes, material })
  } catch {
    return refuse('key-invalid')
  }
}

interface Material {
  readonly hash: string | null
  readonly input: nodeCrypto.VerifyKeyObjectInput
}

/**
 * Checks one JWS signature. `signingInput` is ASCII: `header.payload`.
 *
 * False for a signature of another length or encoding. Never throws. Answers at once on Node, with a promise elsewhere.
 */
export function verifySignature(key: VerifyKey, signingInput: string, signature: Uint8Array): MaybePromise<boolean> {
  return holdsHere(key, signingInput, signature)
}

/**
 * Makes a `verifySignature` that uses Node's thread pool where several signatures come at once, so that another core
 * can check them. Elsewhere it is `verifySignature`.
 */
export const pooledSignatureCheck = (bounds?: SignaturePoolBounds): SignatureCheck =>
  createSignaturePool(holdsHere, verifyInput, bounds)

function holdsHere(key: VerifyKey, signingInput: string, signature: Uint8Array): boolean {
  if (signature.length !== key.signatureBytes) return false
  try {
    const { hash, data, input } = verifyInput(key, signingInput)
    return nodeCrypto.verify(hash, data, input, signature)
  } catch {
    return false
  }
}

function verifyInput({ material }: VerifyKey, signingInput: string): NodeVerifyInput {
  const { hash, input } = material as Material
  return { hash, input, data: Buffer.from(signingInput, 'latin1') }
}
