import type { Engine } from '../engine.ts'
import type { Attempt } from './attempt.ts'
import type { Refusal } from './refusal.ts'

/**
 * The refusal of a caller that asks more often than it may, which the trail counts under its name. Asked before its proof is
 * spent, so that it costs no ledger; it takes nothing, so that whoever copied a request uses up nobody's share.
 */
export const refusePaced = (engine: Engine, attempt: Attempt, caller: string): Refusal | undefined =>
  named(engine.pace.check(caller), attempt, caller)

/** Takes one request off a caller's share, once its proof is spent. The refusal of one that came too late for it. */
export const takePace = (engine: Engine, attempt: Attempt, caller: string): Refusal | undefined =>
  named(engine.pace.take(caller), attempt, caller)

function named(refusal: Refusal | undefined, attempt: Attempt, caller: string): Refusal | undefined {
  if (refusal !== undefined) attempt.paced = caller
  return refusal
}
