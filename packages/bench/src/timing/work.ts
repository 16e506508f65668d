/** Something that can be timed. Only `run` is on the clock. */
export interface Work {
  /**
   * Most operations to prepare at a time; default all of a slice. What a server gets from its parser is fresh in the
   * processor's cache: inputs by the thousand are not.
   */
  readonly batch?: number
  /** Processor time in milliseconds of whoever does the work, where that is another process; undefined if nobody knows. */
  cpu?(): number | undefined
  /** Makes what the next `run` of this many operations uses up: fresh tokens, fresh proofs. */
  prepare?(operations: number): Promise<void> | void
  /** Does exactly this many operations and throws when one of them comes out wrong. */
  run(operations: number): Promise<void> | void
  /** Puts away what a `run` left behind: open reservations, queued lines. */
  after?(): Promise<void> | void
}

/** A work and what it is held against, in the same run. */
export interface Contender {
  readonly id: string
  readonly work: Work
  readonly baseline: Work
}

/** Nanoseconds per operation. */
export interface Cost {
  /** As a clock on the wall sees it: waiting included. */
  readonly wall: number
  /**
   * Processor time of all threads of the process that does the work: waiting, and being pushed aside by other
   * processes, not included. NaN where the system does not tell.
   */
  readonly cpu: number
}

/** Cost of a contender in one round, and of its baseline right before and after it. */
export interface Sample {
  readonly own: Cost
  readonly base: Cost
}
