import type { Engine } from '../engine.ts'
import type { Attempt } from './attempt.ts'
import type { Refusal } from './refusal.ts'

/** The refusal of a caller that asks more often than it may, which the trail counts under its name. */
export function refusePaced(engine: Engine, attempt: Attempt, caller: string): Refusal | undefined {
  const refusal = engine.pace.check(caller)
  if (refusal !== undefined) attempt.paced = caller
  return refusal
}
