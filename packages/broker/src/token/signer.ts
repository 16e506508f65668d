import { createPublicKey, generateKeyPairSync, KeyObject, createPrivateKey, sign, type JsonWebKey } from 'node:crypto'
import { HallpassError, jwkThumbprint, type Jwk, type MaybePromise } from '@hallpass/core'

/** Holder of one private signing key: this process, a KMS or an HSM. */
export interface Signer {
  /** Names the key in token headers and in the published key set. */
  readonly kid: string
  readonly alg: 'ES256'
  /** The public half, as it is published. */
  readonly publicJwk: Jwk
  /** Signature over `data` in JWS form: 64 bytes, r and s. */
  sign(data: Uint8Array): MaybePromise<Uint8Array>
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y'] as const

/** The members of a P-256 public key that may be published, whatever else the object carries. */
export function publicMembers(jwk: Jwk, kid: string): Jwk {
  const [kty, crv, x, y] = PUBLIC_MEMBERS.map((name) => jwk[name])
  if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string') {
    throw new HallpassError('configuration-invalid', 'A signing key must be an EC key on P-256, for ES256')
  }
  return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' }
}

/**
 * A signer that holds its private key in this process and signs synchronously.
 * Throws `configuration-invalid` when the key is not a P-256 private key.
 * `kid` defaults to the RFC 7638 thumbprint.
 */
export function privateKeySigner(privateKey: KeyObject | Jwk, kid?: string): Signer {
  const key = privateKeyOf(privateKey)
  const exported = createPublicKey(key).export({ format: 'jwk' }) as Jwk
  const id = kid ?? jwkThumbprint(exported)
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  return {
    kid: id,
    alg: 'ES256',
    publicJwk: publicMembers(exported, id),
    sign: (data) => sign('sha256', data, options),
  }
}

/** A signer with a key made now, for one process and its life. */
export function generateSigner(): Signer {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node
  // 20, when garbage collection finds the finished job while the export holds the lock they share.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey
  const privateKey = createPrivateKey({ key: encoded, type: 'pkcs8', format: 'der' })
  encoded.fill(0)
  return privateKeySigner(privateKey)
}

function privateKeyOf(privateKey: KeyObject | Jwk): KeyObject {
  try {
    const key =
      privateKey instanceof KeyObject ? privateKey : createPrivateKey({ key: privateKey as JsonWebKey, format: 'jwk' })
    if (key.type === 'private' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // The cause may quote the key, so it is dropped.
  }
  throw new HallpassError('configuration-invalid', 'A signing key must be a private EC key on P-256, for ES256')
}
