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
    this.forget(now)
    const by = this.#current.get(proof) ?? this.#previous.get(proof)
    if (by !== undefined) return by === attempt ? 'first' : 'seen'
    if (this.size >= this.#max) return 'full'
    this.#current.set(proof, attempt)
    return 'first'
  }

  /** Drops the generation whose time is over, if there is one. */
  forget(now: number): void {
    if (now < this.#turnAt) return
    const following = this.#turnAt + this.#generationSeconds
    this.#previous = now < following ? this.#current : new Map()
    this.#current = new Map()
    this.#turnAt = now < following ? following : now + this.#generationSeconds
  }
}
