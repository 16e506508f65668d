import { decodeBase64url, encodeBase64url } from '#crypto'
import type { Use } from './use.ts'

const PREFIX = 'res_'
const PREFIX_BYTES = decodeBase64url(PREFIX) ?? new Uint8Array()
/** `res_`, the number, 120 random bits: nobody guesses a reservation. Whole groups of four characters each. */
const [NUMBER_BYTES, RANDOM_BYTES] = [3, 15]
const ID_BYTES = PREFIX_BYTES.length + NUMBER_BYTES + RANDOM_BYTES
const ID_CHARS = (ID_BYTES / 3) * 4
const NUMBER_AT = PREFIX.length
const RANDOM_AT = NUMBER_AT + 4
/** Numbers begin again after this many, and so many uses find a place. */
const NUMBERS = 2 ** 24
const DRAWN_AT_ONCE = 256
const LEAST_PLACES = 64
/** So many places taken one after the other mean that there are too few. */
const MAX_TAKEN_IN_ROW = 64

/**
 * Uses that may still be settled or given back. A reservation says which number its use has, so that it is found without
 * a map; it counts only where the whole of it is the one that was given out.
 */
export class RunningUses {
  size = 0
  #places: (Use | undefined)[] = Array.from({ length: LEAST_PLACES })
  /** Reservations ready to be given, of the numbers from `#from` on: one text that each is cut out of. */
  #drawn = ''
  #from = 0
  #next = 0

  /** Keeps the use and gives it its reservation. There are twice as many places as the bounds let run at once. */
  add(use: Use): void {
    if (2 * this.size >= this.#places.length) this.#grow()
    for (let taken = 0; ; taken++) {
      if (this.#next === DRAWN_AT_ONCE || this.#drawn === '') this.#draw()
      const number = this.#from + this.#next
      const place = number & (this.#places.length - 1)
      const start = ID_CHARS * this.#next
      this.#next += 1
      if (this.#places[place] === undefined) {
        use.place = number
        use.reservation = this.#drawn.slice(start, start + ID_CHARS)
        this.#places[place] = use
        this.size += 1
        return
      }
      if (taken === MAX_TAKEN_IN_ROW) this.#grow()
    }
  }

  get(reservation: string): Use | undefined {
    if (reservation.length !== ID_CHARS) return undefined
    const use = this.#places[numberOf(reservation) & (this.#places.length - 1)]
    return use !== undefined && use.reservation === reservation ? use : undefined
  }

  /** The use of this number. */
  at(number: number): Use | undefined {
    const use = this.#places[number & (this.#places.length - 1)]
    return use?.place === number ? use : undefined
  }

  delete(use: Use): void {
    const place = use.place & (this.#places.length - 1)
    if (this.#places[place] !== use) return
    this.#places[place] = undefined
    this.size -= 1
  }

  #draw(): void {
    this.#from = this.#drawn === '' ? 0 : (this.#from + DRAWN_AT_ONCE) % NUMBERS
    this.#next = 0
    const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES * DRAWN_AT_ONCE))
    for (let index = 0; index < DRAWN_AT_ONCE; index++) {
      const start = ID_BYTES * index
      const number = this.#from + index
      bytes.set(PREFIX_BYTES, start)
      bytes[start + 3] = number >>> 16
      bytes[start + 4] = number >>> 8
      bytes[start + 5] = number
    }
    this.#drawn = encodeBase64url(bytes)
  }

  /** Two uses with places of their own have them among twice as many as well. */
  #grow(): void {
    if (this.#places.length >= NUMBERS) return
    const places: (Use | undefined)[] = Array.from({ length: 2 * this.#places.length })
    for (const use of this.#places) if (use !== undefined) places[use.place & (places.length - 1)] = use
    this.#places = places
  }
}

/** The number that a reservation says. What has no number finds nothing: the whole is compared afterwards. */
function numberOf(reservation: string): number {
  let number = 0
  for (let at = NUMBER_AT; at < RANDOM_AT; at++) {
    number = (number << 6) | ((VALUES[reservation.charCodeAt(at)] ?? 0) & 63)
  }
  return number
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = Int8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(String.fromCharCode(code)))
