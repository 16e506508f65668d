import type { MaybePromise, RefusalReason, Refused } from '@hallpass/core'
import { isPromise, refuse } from '@hallpass/core'
import type { Attempt, Step } from './attempt.ts'

const BROKEN: Refused<RefusalReason> = refuse('internal', 'A step of the verification failed')

/**
 * Takes an attempt through the steps in order and stops at the first refusal. Stays synchronous until a step does not,
 * reads the clock again after each that does not, and turns whatever a step throws into a refusal: an error is never a
 * permit.
 */
export function runSteps(steps: readonly Step[], attempt: Attempt): MaybePromise<Refused<RefusalReason> | undefined> {
  try {
    return from(0, steps, attempt)
  } catch {
    return BROKEN
  }
}

function from(
  start: number,
  steps: readonly Step[],
  attempt: Attempt,
): MaybePromise<Refused<RefusalReason> | undefined> {
  for (let index = start; index < steps.length; index += 1) {
    const step = steps[index]
    // A check that somebody forgot to hand over has not been passed.
    if (step === undefined) return BROKEN
    const refusal = step(attempt)
    if (isPromise(refusal)) {
      return refusal.then((late) => late ?? later(index + 1, steps, attempt)).catch(() => BROKEN)
    }
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function later(
  start: number,
  steps: readonly Step[],
  attempt: Attempt,
): MaybePromise<Refused<RefusalReason> | undefined> {
  attempt.now = attempt.clock()
  return from(start, steps, attempt)
}
