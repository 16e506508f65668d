import { decodeBase64url, encodeBase64url } from '@hallpass/core'

const ID_CHARS = 25 // `ev_` and 22 base64url characters of 132 random bits
/** Whole groups of four characters, so that each id begins where the text of its bytes does. */
const STRIDE_BYTES = 21
const STRIDE_CHARS = 28
const IDS_PER_DRAW = 256
const PREFIX = decodeBase64url('ev_A') ?? new Uint8Array()

/**
 * Makes a source of event ids. Each is also the id of one redeem attempt, so it must not be guessed: 132 bits from the
 * platform's generator, drawn for many ids at a time because one draw costs more than everything else about an id. An
 * id is cut out of the text of its draw, which costs nothing to read; one that is put together has to be copied first.
 */
export function createEventIds(): () => string {
  let pool = ''
  let next = 0
  return () => {
    if (next >= pool.length) {
      pool = encodeBase64url(drawn())
      next = 0
    }
    const start = next
    next += STRIDE_CHARS
    return pool.slice(start, start + ID_CHARS)
  }
}

function drawn(): Uint8Array {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(STRIDE_BYTES * IDS_PER_DRAW))
  for (let start = 0; start < bytes.length; start += STRIDE_BYTES) {
    bytes[start] = PREFIX[0] ?? 0
    bytes[start + 1] = PREFIX[1] ?? 0
    // Two bits of `_`; the other six are the first random character.
    bytes[start + 2] = (PREFIX[2] ?? 0) | ((bytes[start + 2] ?? 0) & 63)
  }
  return bytes
}
