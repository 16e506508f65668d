import { encodeBase64url } from '@hallpass/core'
import type { ClientJwk, ClientKey } from './proof/client-key.ts'

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const
const algorithm = { name: 'ECDSA', hash: 'SHA-256' } as const
const text = new TextEncoder()

/**
 * Makes the ES256 key of one client with WebCrypto.
 *
 * @returns a key marked non-extractable by the runtime itself.
 */
export async function generateClientKey(): Promise<ClientKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(curve, false, ['sign', 'verify'])
  // Raw, not as a JWK: on Node 20 a JWK export can wait for itself for ever when garbage collection finds the finished job.
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
  const x = encodeBase64url(point.subarray(1, 33))
  const y = encodeBase64url(point.subarray(33))
  const jwk: ClientJwk = { kty: 'EC', crv: 'P-256', x, y }
  return {
    jwk,
    async sign(header, payload) {
      const input = `${header}.${encodeBase64url(text.encode(payload))}`
      const signature = await crypto.subtle.sign(algorithm, privateKey, text.encode(input))
      return `${input}.${encodeBase64url(new Uint8Array(signature))}`
    },
  }
}

/** 128 random bits, base64url. */
export function randomToken(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)))
}
