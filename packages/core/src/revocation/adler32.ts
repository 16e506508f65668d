/** Largest prime below 2^16, and how many bytes can be added before the sums leave 32 bits (RFC 1950 section 9). */
const MODULUS = 65_521
const BYTES_PER_ROUND = 5_552

/** Adler-32, the sum at the end of a ZLIB stream (RFC 1950). */
export function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (let start = 0; start < bytes.length; start += BYTES_PER_ROUND) {
    const end = Math.min(start + BYTES_PER_ROUND, bytes.length)
    for (let index = start; index < end; index += 1) {
      low += bytes[index] ?? 0
      high += low
    }
    low %= MODULUS
    high %= MODULUS
  }
  return high * 65_536 + low
}
