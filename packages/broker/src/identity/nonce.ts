import { hmacSha256Base64url } from '@hallpass/core'
import { randomBytes, timingSafeEqual } from 'node:crypto'

/** Nonces for DPoP proofs without state (RFC 9449 section 8): a MAC over the time they were made for. */
export interface Nonces {
  current(): string
  accepts(nonce: string | undefined): boolean
}

/** A nonce is given out for this long and accepted for as long again. */
export const NONCE_SECONDS = 120

/** `secret` must be the same on every replica; without one it is made now. */
export function createNonces(clock: () => number, secret: Uint8Array = randomBytes(32)): Nonces {
  const key = Uint8Array.from(secret)
  const made = (bucket: number): string => hmacSha256Base64url(key, `hallpass dpop nonce ${bucket}`)
  const bucketNow = (): number => Math.floor(clock() / NONCE_SECONDS)
  return {
    current: () => made(bucketNow()),
    accepts(nonce) {
      if (nonce === undefined) return false
      const now = bucketNow()
      return isEqual(nonce, made(now)) || isEqual(nonce, made(now - 1))
    },
  }
}

function isEqual(one: string, other: string): boolean {
  const left = Buffer.from(one)
  const right = Buffer.from(other)
  return left.length === right.length && timingSafeEqual(left, right)
}
