import { HallpassError } from '@hallpass/core'

const LONGEST_OBSERVATION_SECONDS = 90 * 24 * 60 * 60

/** The two written exceptions for rolling out (design section 5). Absent: every refusal refuses. */
export interface Rollout {
  /** A request without any Hallpass credential goes to the route's old authentication, on record. */
  readonly orElse?: boolean
  /** Until this instant refusals are recorded and change no answer; from it on they refuse. At most 90 days ahead. */
  readonly observeOnlyUntil?: Date
}

export interface CheckedRollout {
  readonly orElse: boolean
  readonly observing: (now: number) => boolean
}

const NEVER = () => false

/**
 * Checks a rollout where the guard is made.
 * @param now NumericDate seconds.
 * @throws HallpassError `configuration-invalid` for a date that is none, or more than 90 days ahead.
 */
export function checkRollout({ orElse = false, observeOnlyUntil }: Rollout, now: number): CheckedRollout {
  if (observeOnlyUntil === undefined) return { orElse, observing: NEVER }
  const until = observeOnlyUntil instanceof Date ? observeOnlyUntil.getTime() / 1000 : Number.NaN
  if (!(until <= now + LONGEST_OBSERVATION_SECONDS)) {
    throw new HallpassError(
      'configuration-invalid',
      'observeOnlyUntil is a Date at most 90 days ahead; enforcement has to start',
    )
  }
  return { orElse, observing: (at) => at < until }
}
