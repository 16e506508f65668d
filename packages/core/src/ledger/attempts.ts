import type { Fingerprint } from './fingerprint-set.ts'

/** Of an attempt that is not here. */
export const NEVER = -(2 ** 31)
/** Of one whose use came back, or whose outcome never came. */
export const UNKNOWN = -1
/** Of one whose use is kept as it is, for what does not fit in here. */
export const ELSEWHERE = -2
/** Up to here looking at all of them is quicker than a table, and a table costs more than all of them. */
const MOST_IN_ROW = 8
const LEAST_ROWS = 32
const DONE = -1000
const MAX_STATUS = 999

/** What stands for an outcome that is a status and nothing else; undefined for a status that is none. */
export const doneWith = (status: number): number | undefined =>
  Number.isInteger(status) && status >= 0 && status <= MAX_STATUS ? DONE - status : undefined

/** The status of what `doneWith` gave; undefined for anything else. */
export const statusOf = (what: number): number | undefined => (what <= DONE && what !== NEVER ? DONE - what : undefined)

/**
 * What became of the attempts of one grant, as numbers: where the use runs (0 and up), or how it ended. A grant may be
 * used thousands of times, and a record of each that a garbage collector has to visit costs more than the use.
 *
 * An attempt is a fingerprint of 64 bits under a random key, as a proof is: what was here is always found, and what was
 * not is taken for it, and refused or answered as ended, about once in 10^12.
 */
export class Attempts {
  size = 0
  // Most grants are good for one use: the list exists from the second on.
  #a = 0
  #b = 0
  #what = NEVER
  /** The few that came after the first, three numbers each: `a`, `b` and what became of it. */
  #few: number[] | undefined = undefined
  /** All of them, where they are many: open addressing, at most half full, three numbers a row. */
  #table: Int32Array | undefined = undefined

  get({ a, b }: Fingerprint): number {
    const table = this.#table
    if (table !== undefined) {
      const at = placeIn(table, a, b)
      return isFree(table, at) ? NEVER : (table[at + 2] ?? NEVER)
    }
    if (this.#a === a && this.#b === b) return this.#what
    const few = this.#few
    return few === undefined ? NEVER : (few[placeAmong(few, a, b) + 2] ?? NEVER)
  }

  /** Adds an attempt, or says what became of one. */
  set(mark: Fingerprint, what: number): void {
    if (this.#table !== undefined) {
      this.#setInTable(this.#table, mark, what)
      return
    }
    const { a, b } = mark
    if (this.size === 0 || (this.#a === a && this.#b === b)) {
      this.#a = a
      this.#b = b
      this.#what = what
      this.size ||= 1
      return
    }
    const few = (this.#few ??= [])
    const at = placeAmong(few, a, b)
    if (at < few.length) {
      few[at + 2] = what
    } else if (this.size < MOST_IN_ROW) {
      few.push(a, b, what)
      this.size += 1
    } else {
      this.#setInTable(this.#spread(few), mark, what)
    }
  }

  /** Moves the few into a table. */
  #spread(few: readonly number[]): Int32Array {
    const table = (this.#table = new Int32Array(3 * LEAST_ROWS))
    this.#few = undefined
    this.size = 0
    this.#setInTable(table, { a: this.#a, b: this.#b }, this.#what)
    for (let at = 0; at < few.length; at += 3) {
      this.#setInTable(table, { a: few[at] ?? 0, b: few[at + 1] ?? 0 }, few[at + 2] ?? NEVER)
    }
    return table
  }

  #setInTable(given: Int32Array, { a, b }: Fingerprint, what: number): void {
    let table = given
    let at = placeIn(table, a, b)
    if (isFree(table, at)) {
      if (6 * (this.size + 1) > table.length) {
        table = this.#table = twice(table)
        at = placeIn(table, a, b)
      }
      table[at] = a
      table[at + 1] = b
      this.size += 1
    }
    table[at + 2] = what
  }
}

/** Where this attempt is in a list, or its end. */
function placeAmong(few: readonly number[], a: number, b: number): number {
  for (let at = 0; at < few.length; at += 3) if (few[at] === a && few[at + 1] === b) return at
  return few.length
}

/** Where this attempt is, or the free row where it would be. */
function placeIn(table: Int32Array, a: number, b: number): number {
  const rows = table.length / 3
  let row = (a ^ (b >>> 7)) & (rows - 1)
  for (;;) {
    const at = 3 * row
    if ((table[at] === a && table[at + 1] === b) || isFree(table, at)) return at
    row = (row + 1) & (rows - 1)
  }
}

/** No fingerprint is zero all through. */
const isFree = (table: Int32Array, at: number): boolean => table[at] === 0 && table[at + 1] === 0

function twice(table: Int32Array): Int32Array {
  const larger = new Int32Array(2 * table.length)
  for (let from = 0; from < table.length; from += 3) {
    if (isFree(table, from)) continue
    const [a = 0, b = 0, what = 0] = [table[from], table[from + 1], table[from + 2]]
    const to = placeIn(larger, a, b)
    larger[to] = a
    larger[to + 1] = b
    larger[to + 2] = what
  }
  return larger
}
