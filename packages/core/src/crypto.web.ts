import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as hashBytes } from '@noble/hashes/sha2.js'
import type { Jwk } from './identity/identity.ts'
import { ok, refuse } from './result.ts'
import type { Result } from './result.ts'
import { algorithmRow } from './token/algorithm.ts'
import type { AlgorithmRow, SignatureAlgorithm, SignatureCheck, VerifyKey } from './token/algorithm.ts'
import { publicJwk } from './token/public-jwk.ts'

const URL_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const STANDARD_ALPHABET = `${URL_ALPHABET.slice(0, 62)}+/`
const SEXTETS = new Uint8Array(128).fill(255)
for (let value = 0; value < 64; value++) SEXTETS[URL_ALPHABET.charCodeAt(value)] = value

const encoder = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const bytesOf = (data: Uint8Array | string): Uint8Array => (typeof data === 'string' ? encoder.encode(data) : data)

/** SHA-256 of bytes, or of the UTF-8 form of a text. */
export const sha256 = (data: Uint8Array | string): Uint8Array => hashBytes(bytesOf(data))

/** SHA-256 as base64url, 43 characters. */
export const sha256Base64url = (data: Uint8Array | string): string => encodeBase64url(sha256(data))

/** SHA-256 as standard, padded base64: the form RFC 9530 wants. */
export const sha256Base64 = (data: Uint8Array | string): string => `${encodeWith(STANDARD_ALPHABET, sha256(data))}=`

/** HMAC-SHA-256 as base64url. */
export function hmacSha256Base64url(key: Uint8Array, data: string): string {
  return encodeBase64url(hmac(hashBytes, key, encoder.encode(data)))
}

/** `prefix` and 128 random bits as base64url. */
export function randomId(prefix: string): string {
  return prefix + encodeBase64url(crypto.getRandomValues(new Uint8Array(16)))
}

/** base64url without padding (RFC 7515 section 2). */
export const encodeBase64url = (bytes: Uint8Array): string => encodeWith(URL_ALPHABET, bytes)

function encodeWith(alphabet: string, bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63)
    if (left > 1) text += alphabet.charAt((group >> 6) & 63)
    if (left > 2) text += alphabet.charAt(group & 63)
  }
  return text
}

/** Bytes of a canonical base64url text; undefined for padding, white space, other alphabets and stray trailing bits. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const tail = text.length % 4
  if (tail === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let group = 0
  let bits = 0
  let to = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const sextet = code < 128 ? (SEXTETS[code] ?? 255) : 255
    if (sextet === 255) return undefined
    group = ((group << 6) | sextet) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[to++] = (group >> bits) & 0xff
    }
  }
  return (group & ((1 << bits) - 1)) === 0 ? bytes : undefined
}

/** Text of well-formed UTF-8; undefined otherwise. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

function importParameters(row: AlgorithmRow): { name: string; namedCurve?: string; hash?: string } {
  if (row.kty === 'OKP') return { name: 'Ed25519' }
  if (row.kty === 'EC') return { name: 'ECDSA', namedCurve: row.crv ?? '' }
  return { name: row.pss ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: row.hash ?? '' }
}

function verifyParameters(row: AlgorithmRow): { name: string; hash?: string; saltLength?: number } {
  if (row.kty === 'OKP') return { name: 'Ed25519' }
  if (row.kty === 'EC') return { name: 'ECDSA', hash: row.hash ?? '' }
  return row.pss ? { name: 'RSA-PSS', saltLength: row.salt ?? 0 } : { name: 'RSASSA-PKCS1-v1_5' }
}

/**
 * Imports a public JWK for exactly one algorithm.
 *
 * Refuses private and symmetric keys, wrong curves, RSA below 2048 bits, points that are not on their curve.
 */
export async function importVerifyKey(jwk: Jwk, alg: SignatureAlgorithm): Promise<Result<VerifyKey, 'key-invalid'>> {
  const row = algorithmRow(alg)
  const checked = publicJwk(jwk, alg, decodeBase64url)
  if (row === undefined || checked === undefined) return refuse('key-invalid')
  try {
    const key = await crypto.subtle.importKey('jwk', checked.members, importParameters(row), false, ['verify'])
    return ok({ alg, signatureBytes: checked.signatureBytes, material: { key, parameters: verifyParameters(row) } })
  } catch {
    return refuse('key-invalid')
  }
}

interface Material {
  readonly key: CryptoKey
  readonly parameters: { readonly name: string }
}

/**
 * Checks one JWS signature. `signingInput` is ASCII: `header.payload`.
 *
 * False for a signature of another length or encoding. Never rejects.
 */
export async function verifySignature(key: VerifyKey, signingInput: string, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== key.signatureBytes) return false
  const { key: imported, parameters } = key.material as Material
  try {
    return await crypto.subtle.verify(parameters, imported, new Uint8Array(signature), encoder.encode(signingInput))
  } catch {
    return false
  }
}

/** `verifySignature` itself: WebCrypto never checks in the calling thread. */
export const pooledSignatureCheck = (): SignatureCheck => verifySignature
