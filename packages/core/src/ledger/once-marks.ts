import type { RefusalReason } from '../reason.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import type { Expiring } from './expiry-queue.ts'
import { ExpiryQueue } from './expiry-queue.ts'

interface Mark extends Expiring {
  readonly name: string
  /** Keys that an assertion was seen to bind, where it is one. */
  keys: Set<string> | undefined
}

/** Proofs and assertions seen at the broker's own endpoints, until nobody would accept them any more. */
export class OnceMarks {
  readonly #max: number
  readonly #maxSkewSeconds: number
  readonly #marks = new Map<string, Mark>()
  readonly #queue = new ExpiryQueue<Mark>()
  #keys = 0

  constructor(max: number, maxSkewSeconds: number) {
    this.#max = max
    this.#maxSkewSeconds = maxSkewSeconds
  }

  get size(): number {
    return this.#marks.size + this.#keys
  }

  /** What is over counts as seen: it could not be remembered. */
  take(name: string, until: number, now: number): 'first' | 'seen' | 'full' {
    this.forget(now, 4)
    if (this.#marks.has(name) || !isAhead(until, now)) return 'seen'
    if (this.size >= this.#max) return 'full'
    this.#add(name, until)
    return 'first'
  }

  /** Notes that an assertion binds a key. */
  bind(
    { assertion, jkt }: { readonly assertion: string; readonly jkt: string },
    { maxKeys, until }: { readonly maxKeys: number; readonly until: number },
    now: number,
  ): Result<{ readonly keys: number }, RefusalReason> {
    this.forget(now, 4)
    if (!isAhead(until, now)) return refuse('token-expired')
    const known = this.#marks.get(assertion)
    if (known?.keys?.has(jkt)) return ok({ keys: known.keys.size })
    if (!((known?.keys?.size ?? 0) < maxKeys)) return refuse('too-many-keys')
    if (this.size >= this.#max) return refuse('ledger-full')
    const mark = known ?? this.#add(assertion, until)
    if (until + this.#maxSkewSeconds > mark.due) this.#queue.schedule(mark, until + this.#maxSkewSeconds)
    const keys = (mark.keys ??= new Set()).add(jkt)
    this.#keys += 1
    return ok({ keys: keys.size })
  }

  /** Drops up to `most` of what is over. */
  forget(now: number, most: number): void {
    for (let left = most; left > 0; left -= 1) {
      const mark = this.#queue.takeDue(now)
      if (mark === undefined) return
      this.#marks.delete(mark.name)
      this.#keys -= mark.keys?.size ?? 0
    }
  }

  #add(name: string, until: number): Mark {
    const mark: Mark = { name, keys: undefined, due: 0, slot: -1 }
    this.#marks.set(name, mark)
    this.#queue.schedule(mark, until + this.#maxSkewSeconds)
    return mark
  }
}

const isAhead = (until: number, now: number) => now < until && Number.isFinite(until)
