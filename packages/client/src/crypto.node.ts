import { createPrivateKey, createPublicKey, generateKeyPairSync, randomFillSync, sign } from 'node:crypto'
import type { ClientJwk, ClientKey } from './proof/client-key.ts'

/**
 * Makes the ES256 key of one client.
 *
 * @returns a key whose private half lives in this closure and has no way out.
 */
export function generateClientKey(): ClientKey {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node
  // 20, when garbage collection finds the finished job while the export holds the lock they share.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey
  const privateKey = createPrivateKey({ key: encoded, type: 'pkcs8', format: 'der' })
  encoded.fill(0)
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const jwk: ClientJwk = { kty: 'EC', crv: 'P-256', x, y }
  const signer = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return {
    jwk,
    sign(header, payload) {
      const input = `${header}.${Buffer.from(payload).toString('base64url')}`
      return `${input}.${sign('sha256', Buffer.from(input, 'latin1'), signer).toString('base64url')}`
    },
  }
}

// One system call per 256 identifiers instead of one each; a slice is used once and never seen again.
const pool = Buffer.allocUnsafe(4096)
let next = pool.length

/** 128 random bits, base64url. */
export function randomToken(): string {
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  next += 16
  return pool.toString('base64url', next - 16, next)
}
