import type { AuditEvent, EventType } from '@hallpass/core'

const ACTS: ReadonlySet<EventType> = new Set<EventType>(['task.opened', 'task.renewed', 'grant.issued', 'use.started'])

interface Seen {
  readonly clientId: string
  readonly at: number
}

/** When each open task last did something. Bounded by the open tasks this broker heard of. */
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
      if (now - at < secondsOf(clientId)) continue
      this.#tasks.delete(txn)
      idle.push({ txn, clientId })
    }
    return idle
  }
}
