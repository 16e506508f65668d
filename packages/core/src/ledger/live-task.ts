import type { Limit } from '../grant/entry.ts'
import type { RefusalReason } from '../reason.ts'
import { Counter } from './counter.ts'
import type { Expiring } from './expiry-queue.ts'
import type { GrantRecord, TaskRecord, TaskState } from './ledger.ts'
import type { LiveAgent } from './live-agent.ts'
import type { Repeats } from './use.ts'

/** What a task needs of its grants. */
export interface GrantOfTask {
  readonly record: GrantRecord | undefined
  lives(now: number): boolean
}

const NOTHING: Readonly<Record<string, number>> = Object.freeze({})

/** A task from its opening until a while after its end. Its grants keep it for as long as they are remembered. */
export class LiveTask implements Expiring {
  readonly record: TaskRecord
  readonly agent: LiveAgent<LiveTask>
  readonly grants = new Set<GrantOfTask>()
  /** By audience. */
  readonly repeats = new Map<string, Repeats>()
  end: TaskState['end'] = undefined
  grantsIssued = 0
  refusals = 0
  due = 0
  slot = -1
  readonly #counters = new Map<string, Counter>()
  readonly #uses = new Map<string, { count: number }>()

  constructor(record: TaskRecord, agent: LiveAgent<LiveTask>) {
    this.record = record
    this.agent = agent
  }

  isOpen(now: number): boolean {
    return this.end === undefined && now < this.record.deadline
  }

  /** Why nothing may be issued in it or used from it, or undefined while it is open. */
  whyOver(now: number): RefusalReason | undefined {
    if (this.isOpen(now)) return undefined
    return this.end === undefined || this.end.how === 'expired' ? 'task-expired' : 'task-ended'
  }

  usesOf(action: string): { count: number } {
    let uses = this.#uses.get(action)
    if (uses === undefined) this.#uses.set(action, (uses = { count: 0 }))
    return uses
  }

  /** The counter this limit shares with every grant of the task that names it, if there is one yet. */
  knownCounter(limit: Limit): Counter | undefined {
    return limit.per === 'agent' ? this.agent.knownCounter(limit) : this.#counters.get(limit.id)
  }

  counter(limit: Limit): Counter {
    if (limit.per === 'agent') return this.agent.counter(limit)
    let counter = this.#counters.get(limit.id)
    if (counter === undefined) this.#counters.set(limit.id, (counter = new Counter(limit)))
    return counter
  }

  state(now: number): TaskState {
    const used: [string, number][] = []
    for (const [action, { count }] of this.#uses) if (count > 0) used.push([action, count])
    const uses = used.length === 0 ? NOTHING : Object.fromEntries(used)
    const spent =
      this.#counters.size === 0
        ? NOTHING
        : Object.fromEntries([...this.#counters].map(([id, counter]) => [id, counter.spent(now)]))
    const { record, end, grantsIssued, refusals } = this
    return end === undefined
      ? { ...record, grantsIssued, uses, spent, refusals }
      : { ...record, end, grantsIssued, uses, spent, refusals }
  }
}
