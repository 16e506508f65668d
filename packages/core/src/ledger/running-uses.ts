import { randomTexts } from './reservation-ids.ts'
import type { Use } from './use.ts'

const PREFIX = 'res_'
/** 120 random bits: nobody guesses a reservation. Before them stands the place where its use is kept. */
const RANDOM_BYTES = 15
const RANDOM_CHARS = 20
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const RANDOM_AT = PREFIX.length + 4
const ID_CHARS = RANDOM_AT + RANDOM_CHARS

/**
 * Uses that may still be settled or given back. A reservation says at which place its use is, so that it is found
 * without a map; it counts only where the whole of it is the one that was given out.
 */
export class RunningUses {
  readonly #places: (Use | undefined)[] = []
  readonly #free: number[] = []
  /** How the reservations of each place begin. */
  readonly #heads: string[] = []
  readonly #random = randomTexts(RANDOM_BYTES)

  get size(): number {
    return this.#places.length - this.#free.length
  }

  /** Keeps the use and gives it its reservation. There are 2^24 places, twice what the bounds let run at once. */
  add(use: Use): void {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = use
    use.place = place
    use.reservation = (this.#heads[place] ??= headOf(place)) + this.#random()
  }

  get(reservation: string): Use | undefined {
    if (reservation.length !== ID_CHARS) return undefined
    const use = this.#places[placeOf(reservation)]
    return use !== undefined && use.reservation === reservation ? use : undefined
  }

  delete(use: Use): void {
    if (this.#places[use.place] !== use) return
    this.#places[use.place] = undefined
    this.#free.push(use.place)
  }
}

function headOf(place: number): string {
  const digits = [18, 12, 6, 0].map((shift) => DIGITS.charAt((place >>> shift) & 63))
  return PREFIX + digits.join('')
}

/** The place that a reservation begins with; none where that is no number. */
function placeOf(reservation: string): number {
  let place = 0
  for (let at = PREFIX.length; at < RANDOM_AT; at++) {
    const digit = VALUES[reservation.charCodeAt(at)]
    if (digit === undefined || digit < 0) return -1
    place = place * 64 + digit
  }
  return place
}

const VALUES = Int8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(String.fromCharCode(code)))
