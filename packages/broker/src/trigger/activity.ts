import { MAX_TASK_SECONDS, type AuditEvent, type EventType } from '@hallpass/core'

const ACTS: ReadonlySet<EventType> = new Set<EventType>(['task.opened', 'task.renewed', 'grant.issued', 'use.started'])

interface Seen {
  readonly clientId: string
  readonly at: number
}

/** When each open task last did something. Bounded by the tasks that were open in the last 24 h. */
export class Activity {
  readonly #tasks = new Map<string, Seen>()

  see({ type, txn, client_id: clientId, source }: AuditEvent, at: number): void {
    if (txn === undefined) return
    if (type === 'task.ended') this.#tasks.delete(txn)
    if (clientId === undefined || !ACTS.has(type)) return
    // An API may report a use of any task there never was: only what a broker said begins to be watched.
    if (source.startsWith('broker:') || this.#tasks.get(txn)?.clientId === clientId)
      this.#tasks.set(txn, { clientId, at })
  }

  get size(): number {
    return this.#tasks.size
  }

  /** Tasks that have been idle for as long as their agent may be; each is named once until it does something again. */
  idle(now: number, secondsOf: (clientId: string) => number): { readonly txn: string; readonly clientId: string }[] {
    const idle: { readonly txn: string; readonly clientId: string }[] = []
    for (const [txn, { clientId, at }] of this.#tasks) {
      const isIdle = now - at >= secondsOf(clientId)
      if (isIdle) idle.push({ txn, clientId })
      // Where several brokers share a ledger, the end of a task may be told to another of them.
      if (isIdle || now - at >= MAX_TASK_SECONDS) this.#tasks.delete(txn)
    }
    return idle
  }
}
