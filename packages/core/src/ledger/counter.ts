import type { Limit } from '../grant/entry.ts'

/** What was spent of one limit: for life, or within the current fixed window. */
export class Counter {
  readonly parameter: string | undefined
  readonly scale: number
  readonly unit: string | undefined
  /** 0 = for life. */
  readonly windowSeconds: number
  /** None yet. A small whole number, as every window is: infinity would take an object of its own. */
  #window = -1
  #spent = 0

  constructor(limit: Limit) {
    this.parameter = limit.parameter
    this.scale = limit.scale ?? 0
    this.unit = limit.unit
    this.windowSeconds = limit.window_seconds ?? 0
  }

  /** Whether this limit adds up the same thing; two units under one name must never be summed. */
  counts(limit: Limit): boolean {
    return this.parameter === limit.parameter && this.scale === (limit.scale ?? 0) && this.unit === limit.unit
  }

  spent(now: number): number {
    if (this.windowSeconds !== 0) this.#enterWindow(now)
    return this.#spent
  }

  add(units: number, now: number): void {
    if (this.windowSeconds !== 0) this.#enterWindow(now)
    this.#spent += units
  }

  /** Gives back what was charged at `chargedAt`; a window that is over has nothing to get back. */
  subtract(units: number, chargedAt: number, now: number): void {
    if (this.windowSeconds !== 0) {
      this.#enterWindow(now)
      if (Math.floor(chargedAt / this.windowSeconds) !== this.#window) return
    }
    this.#spent -= units
  }

  /** Whether forgetting this counter loses nothing. */
  idle(now: number): boolean {
    return this.spent(now) === 0
  }

  #enterWindow(now: number): void {
    const window = Math.floor(now / this.windowSeconds)
    if (window === this.#window) return
    this.#window = window
    this.#spent = 0
  }
}
