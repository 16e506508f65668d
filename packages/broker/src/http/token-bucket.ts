/** How often something may happen: for long, and at once after a silence. */
export interface Rate {
  /** More than 0. */
  readonly perSecond: number
  /** 1 or more. */
  readonly burst: number
}

/** A token bucket on a clock that is handed in and never goes back. Full when it is made. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor({ perSecond, burst }: Rate, now: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Seconds until there is a token; 0 = there is one. Takes none. */
  wait(now: number): number {
    this.#fill(now)
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perSecond
  }

  /** Takes a token where there is one; else seconds until there is one, as `wait` says. */
  take(now: number): number {
    const wait = this.wait(now)
    if (wait === 0) this.#tokens -= 1
    return wait
  }

  #fill(now: number): void {
    if (now <= this.#at) return
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perSecond)
    this.#at = now
  }
}
