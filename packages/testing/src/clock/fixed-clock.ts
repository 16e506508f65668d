/** A clock that stands still until it is told how much time passed. */
export interface FixedClock {
  /** NumericDate seconds; handed to broker, ledger, verifier and client as their `clock`. */
  readonly now: () => number
  /** Lets time pass; a negative number turns the clock back, as a wrong machine would. */
  advance(seconds: number): void
  set(now: number): void
}

/** The instant tests begin at unless they say otherwise. */
export const TEST_NOW = 1_795_300_000

export function fixedClock(start: number = TEST_NOW): FixedClock {
  let time = start
  return {
    now: () => time,
    advance(seconds) {
      time += seconds
    },
    set(now) {
      time = now
    },
  }
}
