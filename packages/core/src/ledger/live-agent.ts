import type { Limit } from '../grant/entry.ts'
import { Counter } from './counter.ts'

/** What an agent has open, and what it spent across its tasks: opening another task resets nothing. */
export class LiveAgent<Task> {
  readonly open = new Set<Task>()
  /** Tasks the ledger still knows, ended ones included: each knows this agent. */
  tasks = 0
  readonly #counters = new Map<string, Counter>()

  knownCounter(limit: Limit): Counter | undefined {
    return this.#counters.get(keyOf(limit))
  }

  counter(limit: Limit): Counter {
    const key = keyOf(limit)
    let counter = this.#counters.get(key)
    if (counter === undefined) this.#counters.set(key, (counter = new Counter(limit)))
    return counter
  }

  /** Whether forgetting this agent loses nothing. */
  idle(now: number): boolean {
    if (this.tasks > 0) return false
    for (const counter of this.#counters.values()) if (counter.spent(now) > 0) return false
    return true
  }
}

const keyOf = (limit: Limit) => JSON.stringify([limit.id, limit.window_seconds])
