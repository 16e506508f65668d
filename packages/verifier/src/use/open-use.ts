import type { MaybePromise, Outcome, UseLedger } from '@hallpass/core'
import { HallpassError, isPromise } from '@hallpass/core'
import type { Recorder } from '../audit/recorder.ts'
import type { Attempt } from '../flow/attempt.ts'
import type { VerifiedGrant } from '../grant/verified-grant.ts'
import type { Use } from './use.ts'

export interface UseKeeper {
  readonly ledger: UseLedger
  readonly recorder: Recorder
  readonly clock: () => number
  /** Work that goes on behind the response; kept until it is done so that closing can wait for it. */
  readonly track: (work: Promise<unknown>) => void
  /** Told when an outcome could not be put on record. */
  readonly failed: (attempt: Attempt) => void
}

/** Opens the use that a redeem granted. Settled or given back exactly once, whichever comes first. */
export function openUse(keeper: UseKeeper, attempt: Attempt, grant: Omit<VerifiedGrant, 'giveBack'>): Use {
  const { ledger, recorder, clock, track, failed } = keeper
  const reservation = attempt.redeemed?.reservation ?? ''
  let state: 'open' | 'giving-back' | 'closed' = 'open'
  let afterGiveBack: Outcome | undefined

  const settle = (outcome: Outcome): MaybePromise<void> => {
    if (state === 'closed') return undefined
    if (state === 'giving-back') {
      afterGiveBack ??= outcome
      return undefined
    }
    state = 'closed'
    try {
      const settled = ledger.settle(reservation, outcome)
      if (!isPromise(settled)) {
        const ended = recorder.ended(attempt, outcome, clock())
        if (!isPromise(ended)) return undefined
        return tracked(ended)
      }
      return tracked(settled.then(async () => recorder.ended(attempt, outcome, clock())))
    } catch {
      failed(attempt)
      return undefined
    }
  }

  const tracked = (work: Promise<void>): Promise<void> => {
    const safe = work.catch(() => failed(attempt))
    track(safe)
    return safe
  }

  const giveBack = async (reason: string): Promise<boolean> => {
    if (typeof reason !== 'string' || reason === '') {
      throw new HallpassError(
        'configuration-invalid',
        'giveBack() takes the reason as one short sentence for the trail',
      )
    }
    if (state !== 'open') return false
    state = 'giving-back'
    let released = false
    try {
      released = await ledger.giveBack(reservation, reason)
      if (released) await recorder.givenBack(attempt, reason, clock())
    } catch {
      failed(attempt)
    }
    state = released ? 'closed' : 'open'
    if (!released && afterGiveBack !== undefined) await settle(afterGiveBack)
    return released
  }

  const keepsOutcome = attempt.fields?.idempotencyKey !== undefined
  const whole = Object.assign(grant, { giveBack }) as VerifiedGrant
  return { kind: 'admitted', ok: true, grant: whole, body: attempt.json, keepsOutcome, settle }
}
