import type { AuditEvent } from '@hallpass/core'
import type { Trigger } from '@hallpass/policy'
import type { Counted } from './what-counts.ts'
import type { Evidence } from './window.ts'
import { Window, evidenceOf } from './window.ts'

/** Windows at once. Beyond that they are shared by all of an agent's tasks, which fires sooner, never later. */
const MAX_WINDOWS = 100_000

export type CountingTrigger = Extract<Trigger, { readonly on: Counted }>

/** A trigger, and which of its agent's it is. */
export interface PlacedTrigger {
  readonly trigger: CountingTrigger
  readonly place: number
}

/** Counts events per grant, task or agent, as wide as what the trigger would end. */
export class Windows {
  readonly #windows = new Map<string, Window>()

  /** The evidence when this event is the one that makes the trigger fire. */
  count({ trigger, place }: PlacedTrigger, event: AuditEvent, at: number): readonly Evidence[] | undefined {
    const evidence = evidenceOf(event, at)
    if (boundsOf(trigger).count === 1) return [evidence]
    return this.#windowOf({ trigger, place }, event).add(evidence)
  }

  /** Counts on with what held of a count that fired, where some of it did not. */
  restore(placed: PlacedTrigger, event: AuditEvent, evidence: readonly Evidence[]): void {
    if (boundsOf(placed.trigger).count > 1) this.#windowOf(placed, event).restore(evidence)
  }

  #windowOf({ trigger, place }: PlacedTrigger, event: AuditEvent): Window {
    const { count, seconds } = boundsOf(trigger)
    const agent = `${event.client_id} ${place}`
    const key = `${agent} ${scopeOf(trigger, event)}`
    return this.#window(key, agent, () => new Window(count, seconds))
  }

  get size(): number {
    return this.#windows.size
  }

  /** Forgets windows in which nothing counts any more. */
  sweep(now: number): void {
    for (const [key, window] of this.#windows) if (window.isOver(now)) this.#windows.delete(key)
  }

  #window(key: string, coarser: string, make: () => Window): Window {
    const name = this.#windows.has(key) || this.#windows.size < MAX_WINDOWS ? key : coarser
    let window = this.#windows.get(name)
    if (window === undefined) this.#windows.set(name, (window = make()))
    return window
  }
}

/** One word of what the effect falls on; a request that names no grant counts for its task, and so on outwards. */
function scopeOf({ effect }: Trigger, { jti = '', txn = '' }: AuditEvent): string {
  if (effect === 'quarantine-agent') return ''
  return effect === 'revoke-grant' && jti !== '' ? jti : txn
}

function boundsOf(trigger: CountingTrigger): { readonly count: number; readonly seconds: number } {
  switch (trigger.on) {
    case 'total-reached':
      return { count: 1, seconds: 0 }
    case 'velocity':
      return { count: trigger.calls + 1, seconds: trigger.windowSeconds }
    default:
      return { count: trigger.count, seconds: trigger.windowSeconds }
  }
}
