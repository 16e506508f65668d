import { encodeBase64url } from '@hallpass/core'

const ID_LENGTH = 22 // base64url characters of 132 random bits
const IDS_PER_DRAW = 256

/**
 * Makes a source of event ids. Each is also the id of one redeem attempt, so it must not be guessed: 132 bits from the
 * platform's generator, drawn for many ids at a time because one draw costs more than everything else about an id.
 */
export function createEventIds(): () => string {
  let pool = ''
  let next = 0
  return () => {
    if (next + ID_LENGTH > pool.length) {
      pool = encodeBase64url(globalThis.crypto.getRandomValues(new Uint8Array((IDS_PER_DRAW * ID_LENGTH * 3) / 4)))
      next = 0
    }
    next += ID_LENGTH
    return `ev_${pool.slice(next - ID_LENGTH, next)}`
  }
}
