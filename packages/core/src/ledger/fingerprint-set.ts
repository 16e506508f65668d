/** Half of a 64-bit fingerprint each. */
export interface Fingerprint {
  readonly a: number
  readonly b: number
}

const LEAST_SLOTS = 1024

/**
 * Set of 64-bit fingerprints in one typed array: open addressing, at most half full, one line of memory touched for most
 * lookups, and nothing that a garbage collector has to visit.
 */
export class FingerprintSet {
  size = 0
  #slots: number
  #table: Uint32Array

  /** `expected` = how many will come, as far as anybody knows. */
  constructor(expected = 0) {
    this.#slots = LEAST_SLOTS
    while (this.#slots < 2 * expected) this.#slots *= 2
    this.#table = new Uint32Array(2 * this.#slots)
  }

  has({ a, b }: Fingerprint): boolean {
    const at = this.#find(a >>> 0, b >>> 0)
    return this.#table[at] !== 0 || this.#table[at + 1] !== 0
  }

  add({ a, b }: Fingerprint): void {
    this.#put(a >>> 0, b >>> 0)
    this.size += 1
    if (2 * this.size > this.#slots) this.#grow()
  }

  /** Where it is, or the free place where it belongs. */
  #find(a: number, b: number): number {
    const table = this.#table
    const mask = this.#slots - 1
    let slot = a & mask
    while (table[2 * slot] !== a || table[2 * slot + 1] !== b) {
      if (table[2 * slot] === 0 && table[2 * slot + 1] === 0) break
      slot = (slot + 1) & mask
    }
    return 2 * slot
  }

  #put(a: number, b: number): void {
    const at = this.#find(a, b)
    this.#table[at] = a
    this.#table[at + 1] = b
  }

  #grow(): void {
    const before = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(2 * this.#slots)
    for (let at = 0; at < before.length; at += 2) {
      const a = before[at] ?? 0
      const b = before[at + 1] ?? 0
      if (a !== 0 || b !== 0) this.#put(a, b)
    }
  }
}
