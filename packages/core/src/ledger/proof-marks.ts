/**
 * Which proofs were seen, kept in two generations: a mark lives for at least one generation and at most two, and a
 * whole generation goes at once, so that no request pays for the forgetting and nothing is evicted to make room.
 */
export class ProofMarks {
  readonly #generationSeconds: number
  readonly #max: number
  #current = new Map<string, string>()
  #previous = new Map<string, string>()
  #turnAt = Number.NEGATIVE_INFINITY

  constructor(generationSeconds: number, max: number) {
    this.#generationSeconds = generationSeconds
    this.#max = max
  }

  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /** The same attempt sent again carries its own proof again: that is no replay. */
  mark(proof: string, attempt: string, now: number): 'first' | 'seen' | 'full' {
    if (now >= this.#turnAt) this.#turn(now)
    const by = this.#current.get(proof) ?? this.#previous.get(proof)
    if (by !== undefined) return by === attempt ? 'first' : 'seen'
    if (this.size >= this.#max) return 'full'
    this.#current.set(proof, attempt)
    return 'first'
  }

  #turn(now: number): void {
    this.#previous = now < this.#turnAt + this.#generationSeconds ? this.#current : new Map()
    this.#current = new Map()
    this.#turnAt = now + this.#generationSeconds
  }
}
