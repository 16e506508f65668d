import type { MaybePromise } from '../result.ts'
/** JWS algorithms that a public key can check; symmetric ones and `none` do not exist here. */
export type SignatureAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'EdDSA'
  | 'Ed25519'

/** What one algorithm asks of its key and of its signature. */
export interface AlgorithmRow {
  readonly kty: 'EC' | 'RSA' | 'OKP'
  readonly crv?: string
  readonly hash: 'SHA-256' | 'SHA-384' | 'SHA-512' | null
  /** Octets of one coordinate or of the public key; 0 for RSA. */
  readonly coordinate: number
  /** Octets of a signature; 0 where the modulus decides. */
  readonly signature: number
  readonly pss?: true
  /** Salt octets of PSS. */
  readonly salt?: number
}

const okp: AlgorithmRow = { kty: 'OKP', crv: 'Ed25519', hash: null, coordinate: 32, signature: 64 }
const rsa = { kty: 'RSA', coordinate: 0, signature: 0 } as const

const rows: ReadonlyMap<string, AlgorithmRow> = new Map<SignatureAlgorithm, AlgorithmRow>([
  ['ES256', { kty: 'EC', crv: 'P-256', hash: 'SHA-256', coordinate: 32, signature: 64 }],
  ['ES384', { kty: 'EC', crv: 'P-384', hash: 'SHA-384', coordinate: 48, signature: 96 }],
  ['ES512', { kty: 'EC', crv: 'P-521', hash: 'SHA-512', coordinate: 66, signature: 132 }],
  ['RS256', { ...rsa, hash: 'SHA-256' }],
  ['RS384', { ...rsa, hash: 'SHA-384' }],
  ['RS512', { ...rsa, hash: 'SHA-512' }],
  ['PS256', { ...rsa, hash: 'SHA-256', pss: true, salt: 32 }],
  ['PS384', { ...rsa, hash: 'SHA-384', pss: true, salt: 48 }],
  ['PS512', { ...rsa, hash: 'SHA-512', pss: true, salt: 64 }],
  ['EdDSA', okp],
  ['Ed25519', okp],
])

/** The row of an algorithm name, compared case-sensitively; undefined for anything else. */
export const algorithmRow = (alg: string): AlgorithmRow | undefined => rows.get(alg)

export const isSignatureAlgorithm = (alg: unknown): alg is SignatureAlgorithm => rows.has(alg as string)

/** A public key, imported once and good for one algorithm. `material` belongs to the platform that imported it. */
export interface VerifyKey {
  readonly alg: SignatureAlgorithm
  /** Octets a signature by this key must have. */
  readonly signatureBytes: number
  readonly material: object
}

/** Whether `signature` is the key's for `signingInput`. False for whatever is wrong with it; never throws. */
export type SignatureCheck = (key: VerifyKey, signingInput: string, signature: Uint8Array) => MaybePromise<boolean>
