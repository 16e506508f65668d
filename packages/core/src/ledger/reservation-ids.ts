import { encodeBase64url } from '#crypto'

/** 144 random bits each, 24 characters. */
const ID_BYTES = 18
const ID_CHARS = 24
const IDS_PER_DRAW = 64

/** Ids that nobody can guess, drawn many at a time: asking for randomness costs more than a whole redeem. */
export function reservationIds(): () => string {
  let drawn = ''
  let next = 0
  return () => {
    if (next === drawn.length) {
      drawn = encodeBase64url(crypto.getRandomValues(new Uint8Array(ID_BYTES * IDS_PER_DRAW)))
      next = 0
    }
    const start = next
    next += ID_CHARS
    return `res_${drawn.slice(start, next)}`
  }
}
