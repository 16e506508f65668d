import { MAX_TTL_SECONDS } from '../token/constants.ts'
import type { GrantRecord } from './ledger.ts'
import type { RevocationEntry, RevocationRead } from './revocation-entry.ts'
import type { RevocationTarget, StandingTarget } from './revocation-target.ts'
import { targetName } from './target-name.ts'
import { Watchers } from './watchers.ts'

/** A line with its place, and the time from which it says nothing any more. */
class Line {
  readonly seq: number
  readonly entry: RevocationEntry
  over: number

  constructor(seq: number, entry: RevocationEntry, over: number) {
    this.seq = seq
    this.entry = entry
    this.over = over
  }
}

/** Lines beyond which what is over is looked for; afterwards, as many more as were left. */
const FIRST_TIDY = 1024

export interface RevocationLogOptions {
  readonly incarnation: string
  readonly maxSkewSeconds: number
}

/**
 * What was killed, stopped and lifted, in order. A line goes when it says nothing any more: a grant's when it has
 * expired on every clock, a stop's when it was lifted, a lift's when everything before its cut-off has expired.
 */
export class RevocationLog {
  readonly #incarnation: string
  readonly #maxSkewSeconds: number
  readonly #watchers = new Watchers()
  readonly #stops = new Map<string, Line>()
  #lines: Line[] = []
  #seq = 0
  #tidyAt = FIRST_TIDY
  /** A reader from before the newest forgotten lift may hold a stop that was lifted. */
  #goneBelow = 0

  constructor({ incarnation, maxSkewSeconds }: RevocationLogOptions) {
    this.#incarnation = incarnation
    this.#maxSkewSeconds = maxSkewSeconds
  }

  get size(): number {
    return this.#lines.length
  }

  /** Puts one operation on the log, and wakes whoever watches. */
  killed(records: readonly GrantRecord[], { at, reason }: { readonly at: number; readonly reason: string }): void {
    for (const { jti, txn, audience, status, exp } of records) {
      this.#add({ kind: 'grant', at, reason, jti, txn, audience, status, exp }, exp + this.#maxSkewSeconds)
    }
    if (records.length > 0) this.#wake(at)
  }

  /** Says nothing of a target that is dead for good, nor of one that stands already. */
  stopped(target: RevocationTarget, { at, reason }: { readonly at: number; readonly reason: string }): void {
    if (!canStand(target)) return
    const name = targetName(target)
    if (this.#stops.has(name)) return
    this.#stops.set(name, this.#add({ kind: 'stop', at, reason, target }, Number.POSITIVE_INFINITY))
    this.#wake(at)
  }

  lifted(target: RevocationTarget, { at, reason }: { readonly at: number; readonly reason: string }): void {
    if (!canStand(target)) return
    const name = targetName(target)
    const stop = this.#stops.get(name)
    if (stop !== undefined) stop.over = at
    this.#stops.delete(name)
    const cutOff = at + this.#maxSkewSeconds
    this.#add({ kind: 'lift', at, reason, target, cutOff }, cutOff + MAX_TTL_SECONDS + this.#maxSkewSeconds)
    this.#wake(at)
  }

  read({ after, limit }: { readonly after?: string; readonly limit: number }, at: number): RevocationRead {
    const from = after === undefined ? 0 : this.#seqOf(after)
    if (from === undefined) return { state: 'gone' }
    const first = this.#firstAfter(from)
    const lines = this.#lines.slice(first, first + limit)
    const last = lines.at(-1)?.seq ?? from
    const more = first + lines.length < this.#lines.length
    const entries = lines.map(({ entry }) => entry)
    return { state: 'read', entries, cursor: `${this.#incarnation}.${last}`, more, at }
  }

  watch(wake: () => void): () => void {
    return this.#watchers.watch(wake)
  }

  /** Forgets every line that says nothing any more. */
  forget(now: number): void {
    const kept: Line[] = []
    for (const line of this.#lines) {
      if (now < line.over) kept.push(line)
      else if (line.entry.kind === 'lift') this.#goneBelow = line.seq
    }
    this.#lines = kept
    this.#tidyAt = Math.max(FIRST_TIDY, 2 * kept.length)
  }

  #add(entry: RevocationEntry, over: number): Line {
    this.#seq += 1
    const line = new Line(this.#seq, entry, over)
    this.#lines.push(line)
    return line
  }

  #wake(now: number): void {
    if (this.#lines.length >= this.#tidyAt) this.forget(now)
    this.#watchers.wake()
  }

  /** Place of a cursor, or undefined when it is not one to go on from. */
  #seqOf(cursor: string): number | undefined {
    const prefix = `${this.#incarnation}.`
    const digits = cursor.startsWith(prefix) ? cursor.slice(prefix.length) : ''
    if (!/^(?:0|[1-9]\d{0,15})$/.test(digits)) return undefined
    const seq = Number(digits)
    return seq <= this.#seq && seq >= this.#goneBelow ? seq : undefined
  }

  #firstAfter(seq: number): number {
    let low = 0
    let high = this.#lines.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#lines[middle]?.seq ?? 0) <= seq) low = middle + 1
      else high = middle
    }
    return low
  }
}

const canStand = (target: RevocationTarget): target is StandingTarget =>
  target.kind !== 'grant' && target.kind !== 'task'
