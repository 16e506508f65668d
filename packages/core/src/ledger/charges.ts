import type { Limit } from '../grant/entry.ts'
import type { RefusalReason } from '../reason.ts'
import type { Refused } from '../result.ts'
import type { Counter } from './counter.ts'

/** One limit of one grant, tied to the counter it is charged to. */
export interface Charge {
  readonly limit: Limit
  readonly counter: Counter
}

export type Amounts = Readonly<Record<string, number>>

export type LimitRefusal = Refused<RefusalReason> & { readonly limit: string }

const isOwnCalls = ({ per, parameter }: Limit) => per === 'grant' && parameter === undefined

/** Every limit of a grant, charged together or not at all. */
export class Charges {
  /** Empty where there is only `#own`. */
  readonly #charges: readonly Charge[]
  /** Every use costs 1 everywhere, so no amounts need to be kept for giving back. */
  readonly #callsOnly: boolean
  /** The one cap there is, where it is on the grant's own calls: most grants have nothing else. */
  readonly #own: Limit | undefined
  readonly #ownCalls: Counter | undefined
  readonly #maxCalls: number

  constructor(charges: readonly Charge[]) {
    const only = charges.length === 1 ? charges[0] : undefined
    const own = only !== undefined && isOwnCalls(only.limit) ? only : undefined
    this.#charges = own === undefined ? charges : NONE
    this.#callsOnly = charges.every(({ limit }) => limit.parameter === undefined)
    this.#own = own?.limit
    this.#ownCalls = own?.counter
    this.#maxCalls = own?.limit.max ?? 0
  }

  /** Why these uses do not fit, or undefined when every limit takes them. Changes nothing. */
  whyUnfit(amounts: Amounts, uses: number, now: number): LimitRefusal | undefined {
    if (this.#own !== undefined) {
      return uses <= this.callsLeft(now) ? undefined : { ok: false, reason: 'grant-exhausted', limit: this.#own.id }
    }
    for (const { limit, counter } of this.#charges) {
      const units = unitsOf(limit, amounts, uses)
      if (Number.isNaN(units)) return { ok: false, reason: 'amount-invalid', limit: limit.id }
      // Subtracting keeps every number a safe integer; adding could round past the cap.
      if (units > limit.max - counter.spent(now)) {
        return { ok: false, reason: isOwnCalls(limit) ? 'grant-exhausted' : 'limit-exceeded', limit: limit.id }
      }
    }
    return undefined
  }

  /**
   * Charges every limit; only after `whyUnfit` found nothing, and with the same arguments.
   * Returns what `giveBack` needs: the units by limit, or undefined where each limit was charged 1.
   */
  charge(amounts: Amounts, uses: number, now: number): readonly number[] | undefined {
    this.#ownCalls?.add(uses, now)
    if (this.#callsOnly) {
      for (const { counter } of this.#charges) counter.add(uses, now)
      return undefined
    }
    return this.#charges.map(({ limit, counter }) => {
      const units = unitsOf(limit, amounts, uses)
      counter.add(units, now)
      return units
    })
  }

  giveBack(units: readonly number[] | undefined, chargedAt: number, now: number): void {
    this.#ownCalls?.subtract(1, chargedAt, now)
    this.#charges.forEach(({ counter }, index) => counter.subtract(units?.[index] ?? 1, chargedAt, now))
  }

  /** Calls of the grant's own that are left. */
  callsLeft(now: number): number {
    if (this.#ownCalls !== undefined) return this.#maxCalls - this.#ownCalls.spent(now)
    let left = Number.MAX_SAFE_INTEGER
    for (const { limit, counter } of this.#charges) {
      if (isOwnCalls(limit)) left = Math.min(left, limit.max - counter.spent(now))
    }
    return left
  }
}

const NONE: readonly Charge[] = []

/** What `uses` uses cost; NaN when the amount is missing, negative, not whole, or too large to add up exactly. */
function unitsOf({ parameter }: Limit, amounts: Amounts, uses: number): number {
  if (parameter === undefined) return uses
  const amount = amounts[parameter]
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0) return Number.NaN
  const units = amount * uses
  return Number.isSafeInteger(units) ? units : Number.NaN
}
