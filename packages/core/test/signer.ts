import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Jwk, SignatureAlgorithm } from '../src/index.ts'

/** Signs whatever it is told to, well formed or not. */
export interface Signer {
  readonly alg: SignatureAlgorithm
  readonly jwk: Jwk
  /** With its private members. */
  readonly privateJwk: Jwk
  readonly key: KeyObject
  /** base64url signature over an ASCII text. */
  readonly signature: (input: string) => string
  /** A compact JWS over header and payload; text goes in as it is, anything else as JSON. */
  readonly token: (header: unknown, payload: unknown) => string
}

/** base64url of a text as it is, or of anything else as JSON. */
export const segment = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const curves = new Map([
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['ES512', 'P-521'],
])

function generate(alg: SignatureAlgorithm): Buffer {
  const namedCurve = curves.get(alg)
  if (namedCurve !== undefined) {
    return generateKeyPairSync('ec', {
      namedCurve,
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    }).privateKey
  }
  if (alg === 'EdDSA' || alg === 'Ed25519') {
    return generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    }).privateKey
  }
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey
}

/** A signer with a fresh key. */
export function signer(alg: SignatureAlgorithm = 'ES256'): Signer {
  // Through its encoding: on Node 20 a key object that `generateKeyPairSync` returned can hang when it is exported.
  const privateKey = createPrivateKey({ key: generate(alg), type: 'pkcs8', format: 'der' })
  const publicKey = createPublicKey(privateKey)
  const hash = alg === 'EdDSA' || alg === 'Ed25519' ? null : `sha${alg.slice(2)}`
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {}
  const options = { key: privateKey, dsaEncoding: 'ieee-p1363' as const, ...padding }
  const signature = (input: string): string => sign(hash, Buffer.from(input), options).toString('base64url')
  return {
    alg,
    jwk: publicKey.export({ format: 'jwk' }) as Jwk,
    privateJwk: privateKey.export({ format: 'jwk' }) as Jwk,
    key: privateKey,
    signature,
    token: (header, payload) => {
      const input = `${segment(header)}.${segment(payload)}`
      return `${input}.${signature(input)}`
    },
  }
}
