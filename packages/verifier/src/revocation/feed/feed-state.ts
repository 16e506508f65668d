import type { FeedRun } from '@hallpass/core'
import { DeadGrants } from './dead-grants.ts'

/**
 * What became of a message. `out-of-sequence`: something between it and the last one is missing, so the reader asks
 * again from where it is. `rolled-back`: it begins at a state older than what is known.
 */
export type Applied = 'applied' | 'repeated' | 'out-of-sequence' | 'rolled-back' | 'full'

export interface GrantInQuestion {
  readonly iat: number
  readonly uri: string
  readonly idx: number
}

/**
 * Whose grant it is: of the life of the ledger that is followed, of one that was left, or of one nothing is known of. What
 * is said about one life says nothing about the grants of another.
 */
export type GrantLife = 'followed' | 'left' | 'unknown'

export interface FeedStateOptions {
  readonly skewSeconds: number
  /** How the uri of a status list of one life begins. */
  readonly listsOf: (incarnation: string) => string
  readonly maxBytes?: number
}

const MAX_LEFT_LIVES = 64

/**
 * What one verifier knows of revocations: dead grants, the kill switch, and the time up to which that is everything.
 *
 * Each message says: from this place of the log to that one, this died; and the log was read at this time. So whatever
 * order messages come in, a time is believed only where the chain of places up to it is whole; what is dead stays dead.
 */
export class FeedState {
  readonly #skewSeconds: number
  readonly #listsOf: (incarnation: string) => string
  readonly #dead: DeadGrants
  /** With what the uris of their lists begin with. */
  readonly #leftLives = new Map<string, string>()
  #lists: string | undefined = undefined
  #incarnation: string | undefined = undefined
  #cursor: string | undefined = undefined
  #asOf = Number.NEGATIVE_INFINITY
  /** Nothing issued up to here is good; infinity while the kill switch is on. */
  #cutOff = Number.NEGATIVE_INFINITY
  /** What a run from the start has said of the kill switch so far, until it is complete. */
  #nextCutOff: number | undefined = undefined
  #latest = Number.NEGATIVE_INFINITY

  constructor({ skewSeconds, listsOf, maxBytes }: FeedStateOptions) {
    this.#skewSeconds = skewSeconds
    this.#listsOf = listsOf
    this.#dead = new DeadGrants({ graceSeconds: 2 * skewSeconds, ...(maxBytes !== undefined && { maxBytes }) })
  }

  /** Where to resume; undefined = at the start. */
  get cursor(): string | undefined {
    return this.#cursor
  }

  /** Time of the ledger's clock up to which every revocation is known. */
  get asOf(): number {
    return this.#asOf
  }

  get lists(): number {
    return this.#dead.lists
  }

  get bytes(): number {
    return this.#dead.bytes
  }

  /**
   * Seconds since everything was known, on a clock that a step back does not make younger; infinity at first, and while
   * the clock is set back by more than the skew: every message of now is from its future, and none would be taken.
   */
  staleness(now: number): number {
    if (now > this.#latest) this.#latest = now
    if (this.#latest - now > this.#skewSeconds) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#latest - this.#asOf)
  }

  isDead({ iat, uri, idx }: GrantInQuestion): boolean {
    return iat <= this.#cutOff || this.#dead.has(uri, idx)
  }

  lifeOf(uri: string): GrantLife {
    if (this.#lists !== undefined && uri.startsWith(this.#lists)) return 'followed'
    for (const lists of this.#leftLives.values()) if (uri.startsWith(lists)) return 'left'
    return 'unknown'
  }

  /** Takes a message whose signature, audience and times hold. */
  apply(run: FeedRun, now: number): Applied {
    for (const list of run.dead) {
      // True whenever it was said: what is dead now counts even where something before it is missing.
      if (!this.#dead.add(list, now)) return this.#overflow()
    }
    const place = this.#placeOf(run)
    if (place !== 'applied') return place
    const { everything, cursor, at, complete } = run
    if (everything !== undefined) this.#switch(everything === 'stopped' ? Number.POSITIVE_INFINITY : everything)
    this.#cursor = cursor
    if (!complete) return 'applied'
    // An older reading may end before the kill switch was turned: it takes nothing back.
    if (this.#nextCutOff !== undefined && at >= this.#asOf) {
      this.#cutOff = this.#nextCutOff
      this.#nextCutOff = undefined
    }
    if (at > this.#asOf) this.#asOf = at
    return 'applied'
  }

  #placeOf(run: FeedRun): Applied {
    if (run.prev === null) return this.#begin(run)
    if (run.incarnation === this.#incarnation && run.prev === this.#cursor) return 'applied'
    return run.incarnation === this.#incarnation && run.cursor === this.#cursor ? 'repeated' : 'out-of-sequence'
  }

  /** A run from the start: says anew what stands, and takes back nothing that it cannot know of. */
  #begin({ incarnation, at }: FeedRun): Applied {
    if (this.#leftLives.has(incarnation) || at < this.#asOf) return 'rolled-back'
    const isNewLife = this.#incarnation !== undefined && this.#incarnation !== incarnation
    if (isNewLife) {
      this.#leave(this.#incarnation)
      // What was known of the other life says nothing about this one.
      this.#asOf = Number.NEGATIVE_INFINITY
    }
    this.#incarnation = incarnation
    this.#lists = this.#listsOf(incarnation)
    const stood = this.#cutOff === Number.POSITIVE_INFINITY
    // A stop that the log has no more was lifted so long ago that nothing from before is alive. Another life of the
    // store may just have lost it: what was issued until now stays dead.
    if (!stood) this.#nextCutOff = this.#cutOff
    else this.#nextCutOff = isNewLife ? at + this.#skewSeconds : Number.NEGATIVE_INFINITY
    return 'applied'
  }

  #switch(cutOff: number): void {
    if (this.#nextCutOff === undefined) {
      this.#cutOff = cutOff
      return
    }
    this.#nextCutOff = cutOff
    if (cutOff > this.#cutOff) this.#cutOff = cutOff
  }

  #leave(incarnation: string | undefined): void {
    if (incarnation === undefined || this.#leftLives.size >= MAX_LEFT_LIVES) return
    this.#leftLives.set(incarnation, this.#listsOf(incarnation))
  }

  #overflow(): Applied {
    this.#dead.clear()
    this.#cursor = undefined
    this.#asOf = Number.NEGATIVE_INFINITY
    return 'full'
  }
}
