import type { Fingerprint } from './fingerprint-set.ts'
import { FingerprintSet } from './fingerprint-set.ts'
import { fingerprints } from './fingerprints.ts'

/** The marks of about one stretch of time. */
class Generation {
  readonly seen: FingerprintSet
  /** Attempts that showed a proof and made no use of it. */
  readonly unused = new Map<string, string>()

  constructor(expected: number) {
    this.seen = new FingerprintSet(expected)
  }

  get size(): number {
    return this.seen.size + this.unused.size
  }
}

/** One proof: its holder's key and its id. */
export interface Shown {
  readonly jkt: string
  readonly jti: string
}

/**
 * Which proofs were seen, kept in two generations: a mark lives for at least one generation and at most two, and a
 * whole generation goes at once, so that no request pays for the forgetting and nothing is evicted to make room.
 *
 * A mark is a fingerprint of 64 bits: what was seen is always found, and what was not seen is taken for seen, and
 * refused, about once in 10^12 requests where millions of marks are alive.
 */
export class ProofMarks {
  readonly #generationSeconds: number
  readonly #max: number
  readonly #fingerprint = fingerprints()
  #current = new Generation(0)
  #previous = new Generation(0)
  #turnAt = Number.NEGATIVE_INFINITY

  constructor(generationSeconds: number, max: number) {
    this.#generationSeconds = generationSeconds
    this.#max = max
  }

  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /** What all proofs of one key begin with; whoever keeps it saves the work. */
  holder(jkt: string): Fingerprint {
    return this.#fingerprint(jkt)
  }

  mark(holder: Fingerprint, jti: string, now: number): 'first' | 'seen' | 'full' {
    this.forget(now)
    const proof = this.#fingerprint(jti, holder)
    if (this.#current.seen.has(proof) || this.#previous.seen.has(proof)) return 'seen'
    if (this.size >= this.#max) return 'full'
    this.#current.seen.add(proof)
    return 'first'
  }

  /** The attempt made no use, so it leaves no other trace: sent again it carries its own proof again. */
  keepAttempt(proof: Shown, attempt: string): void {
    if (this.size < this.#max) this.#current.unused.set(nameOf(proof), attempt)
  }

  /** Whether it was this attempt that showed this proof before: then it is no replay. */
  isOwn(proof: Shown, attempt: string): boolean {
    const name = nameOf(proof)
    return (this.#current.unused.get(name) ?? this.#previous.unused.get(name)) === attempt
  }

  /** Drops the generation whose time is over, if there is one. */
  forget(now: number): void {
    if (now < this.#turnAt) return
    const following = this.#turnAt + this.#generationSeconds
    const { size } = this.#current.seen
    this.#previous = now < following ? this.#current : new Generation(0)
    // About as many will come again: the table need not grow step by step each time.
    this.#current = new Generation(size)
    this.#turnAt = now < following ? following : now + this.#generationSeconds
  }
}

const nameOf = ({ jkt, jti }: Shown): string => `${jkt} ${jti}`
