import type { JsonValue, MaybePromise, Outcome, UseLedger } from '@hallpass/core'
import { HallpassError, isPromise } from '@hallpass/core'
import type { Observer } from '../audit/observer.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Attempt } from '../flow/attempt.ts'
import { provenGrant } from '../grant/proven-grant.ts'
import type { VerifiedGrant } from '../grant/verified-grant.ts'
import type { Use } from './use.ts'

export interface UseKeeper {
  readonly ledger: UseLedger
  readonly recorder: Recorder
  readonly clock: () => number
  /** Work that goes on behind the response; kept until it is done so that closing can wait for it. */
  readonly track: (work: Promise<unknown>) => void
  readonly observe: Observer | undefined
}

/** A use that a redeem granted. Settled or given back exactly once, whichever comes first. */
export class OpenUse implements Use {
  readonly kind = 'admitted'
  readonly ok = true
  readonly grant: VerifiedGrant
  readonly body: JsonValue | undefined
  readonly keepsOutcome: boolean
  readonly #keeper: UseKeeper
  readonly #attempt: Attempt
  #state: 'open' | 'giving-back' | 'closed' = 'open'
  #afterGiveBack: Outcome | undefined = undefined

  constructor(keeper: UseKeeper, attempt: Attempt) {
    this.#keeper = keeper
    this.#attempt = attempt
    this.body = attempt.json
    this.keepsOutcome = attempt.fields?.idempotencyKey !== undefined
    this.grant = provenGrant(attempt, (reason) => this.#giveBack(reason))
  }

  settle(outcome: Outcome): MaybePromise<void> {
    if (this.#state === 'closed') return undefined
    if (this.#state === 'giving-back') {
      this.#afterGiveBack ??= outcome
      return undefined
    }
    this.#state = 'closed'
    try {
      const settled = this.#keeper.ledger.settle(this.#reservation, outcome)
      if (isPromise(settled)) return this.#tracked(settled.then(() => this.#ended(outcome)))
      const ended = this.#ended(outcome)
      return isPromise(ended) ? this.#tracked(ended) : undefined
    } catch {
      this.#unsettled()
      return undefined
    }
  }

  get #reservation(): string {
    return this.#attempt.redeemed?.reservation ?? ''
  }

  #unsettled(): void {
    const { planned, event } = this.#attempt
    this.#keeper.observe?.({ kind: 'unsettled', action: planned.name, event })
  }

  #ended(outcome: Outcome): MaybePromise<void> {
    const { planned, event } = this.#attempt
    this.#keeper.observe?.({ kind: 'settled', action: planned.name, event, status: outcome.status })
    return this.#keeper.recorder.ended(this.#attempt, outcome, this.#keeper.clock())
  }

  #tracked(work: Promise<void>): Promise<void> {
    const safe = work.catch(() => this.#unsettled())
    this.#keeper.track(safe)
    return safe
  }

  async #giveBack(reason: string): Promise<boolean> {
    if (typeof reason !== 'string' || reason === '') {
      throw new HallpassError(
        'configuration-invalid',
        'giveBack() takes the reason as one short sentence for the trail',
      )
    }
    if (this.#state !== 'open') return false
    const { ledger, recorder, clock } = this.#keeper
    this.#state = 'giving-back'
    let released = false
    try {
      released = await ledger.giveBack(this.#reservation, reason)
      if (released) await recorder.givenBack(this.#attempt, reason, clock())
    } catch {
      this.#unsettled()
    }
    this.#state = released ? 'closed' : 'open'
    if (!released && this.#afterGiveBack !== undefined) await this.settle(this.#afterGiveBack)
    return released
  }
}
