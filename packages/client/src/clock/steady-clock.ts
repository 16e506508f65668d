/** Two readings of time: one for the wire, one for expiry. */
export interface SteadyClock {
  /** NumericDate seconds as the machine has them: what a proof's `iat` says. */
  wall(): number
  /** Seconds that pass and never come back: what expiry is measured on. */
  steady(): number
}

/** Ticks between the two sources that are rounding, not a clock that was set. */
const ROUNDING_SECONDS = 1

/**
 * A clock that setting the machine's time back cannot turn back.
 *
 * It advances with the monotonic source, and by every forward jump of the wall clock on top: a monotonic source stands
 * still while a machine sleeps. Where both disagree more time has passed, never less.
 *
 * @param wall NumericDate seconds; given by tests, and then the only source.
 */
export function createSteadyClock(wall?: () => number): SteadyClock {
  if (wall !== undefined) return advancing({ wall, monotonic: () => 0, tolerance: 0 })
  const monotonic = () => performance.now() / 1000
  return advancing({ wall: () => Date.now() / 1000, monotonic, tolerance: ROUNDING_SECONDS })
}

interface Sources {
  readonly wall: () => number
  readonly monotonic: () => number
  readonly tolerance: number
}

function advancing({ wall, monotonic, tolerance }: Sources): SteadyClock {
  let drift = wall() - monotonic()
  let jumped = 0
  return {
    wall,
    steady() {
      const passed = monotonic()
      const seen = wall() - passed
      if (seen - drift > tolerance) {
        jumped += seen - drift
        drift = seen
      } else if (seen < drift) {
        drift = seen
      }
      return passed + jumped
    },
  }
}
