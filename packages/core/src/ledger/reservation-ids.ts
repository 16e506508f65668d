import { encodeBase64url } from '#crypto'

/** 144 random bits, 24 characters. */
const ID_BYTES = 18
const DRAWN_AT_ONCE = 64

/** Texts of `bytes` random bytes (a multiple of 3), drawn many at a time: asking for randomness costs more than a whole redeem. */
export function randomTexts(bytes: number): () => string {
  const chars = (bytes / 3) * 4
  let drawn = ''
  let next = 0
  return () => {
    if (next === drawn.length) {
      drawn = encodeBase64url(crypto.getRandomValues(new Uint8Array(bytes * DRAWN_AT_ONCE)))
      next = 0
    }
    const start = next
    next += chars
    return drawn.slice(start, next)
  }
}

/** Ids that nobody can guess. */
export function reservationIds(): () => string {
  const next = randomTexts(ID_BYTES)
  return () => `res_${next()}`
}
