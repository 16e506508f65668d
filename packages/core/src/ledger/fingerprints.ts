import type { Fingerprint } from './fingerprint-set.ts'

/** A fingerprint that more text may be added to. */
class Lanes implements Fingerprint {
  readonly a: number
  readonly b: number

  constructor(a: number, b: number) {
    this.a = a
    // All zero means a free place.
    this.b = a === 0 && b === 0 ? 1 : b
  }
}

/** Fingerprint of `text` after what `before` is the fingerprint of. */
export type FingerprintOf = (text: string, before?: Fingerprint) => Fingerprint

/**
 * 64-bit fingerprints of texts. Multipliers and start are random for each call of this, so that nobody outside can look
 * for two texts with one fingerprint; two honest ones share one about once in 2^64 pairs.
 */
export function fingerprints(): FingerprintOf {
  const random = crypto.getRandomValues(new Int32Array(4))
  const [timesA, timesB] = [(random[0] ?? 0) | 1, (random[1] ?? 0) | 1]
  const start = new Lanes(random[2] ?? 0, random[3] ?? 0)
  return (text, before = start) => {
    let { a, b } = before
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      // Rotations and shifts between the products: a product alone never carries a difference downwards.
      a = Math.imul(((a << 15) | (a >>> 17)) ^ code, timesA)
      b = Math.imul(b ^ (b >>> 15) ^ code, timesB)
    }
    // Lengths keep ('ab', 'c') and ('a', 'bc') apart.
    a = Math.imul(a ^ (a >>> 16) ^ text.length, timesB)
    b = Math.imul(b ^ (b >>> 13) ^ text.length, timesA)
    return new Lanes(a ^ (a >>> 15), b ^ (b >>> 16))
  }
}
