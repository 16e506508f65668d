import { encodeBase64url } from '@hallpass/core'

const PREFIX = 'ev_'
const RANDOM_LENGTH = 22 // base64url characters of 132 random bits
const ID_LENGTH = PREFIX.length + RANDOM_LENGTH
const IDS_PER_DRAW = 128
const BYTES_PER_DRAW = (IDS_PER_DRAW * RANDOM_LENGTH * 3) / 4

/**
 * Makes a source of event ids. Each is also the id of one redeem attempt, so it must not be guessed: 132 bits from the
 * platform's generator, drawn for many ids at a time because one draw costs more than everything else about an id.
 */
export function createEventIds(): () => string {
  let pool = ''
  let next = 0
  return () => {
    if (next >= pool.length) {
      const random = encodeBase64url(globalThis.crypto.getRandomValues(new Uint8Array(BYTES_PER_DRAW)))
      const ids = Array.from(
        { length: IDS_PER_DRAW },
        (_, index) => PREFIX + random.slice(index * RANDOM_LENGTH, (index + 1) * RANDOM_LENGTH),
      )
      // One flat string whose slices are the ids: none of them is put together again while a request waits.
      pool = ids.join('')
      next = 0
    }
    next += ID_LENGTH
    return pool.slice(next - ID_LENGTH, next)
  }
}
