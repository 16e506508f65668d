import { LRUCache } from 'lru-cache'
import type { GrantAsk } from '../broker/broker.ts'
import type { HeldGrant } from './held-grant.ts'

/** Every grant of one task. Memory only; losing one costs a question to the broker, nothing else. */
export interface HeldGrants {
  /** A live grant that covers this call, with one use taken; the same one for a call that was sent and not answered. */
  take(ask: GrantAsk, now: number): HeldGrant | undefined
  /** Keeps a new grant; a reusable one is offered to later calls of this task. */
  add(grant: HeldGrant, options: { readonly now: number; readonly reusable: boolean }): void
  /**
   * The call is over; a grant that is spent by it is forgotten. Whether an unanswered call spent its grant is not known:
   * sent again with the same id it is the same use, so its grant stays for it.
   */
  release(grant: HeldGrant, unanswered?: { readonly callId: string }): void
  readonly drop: (grant: HeldGrant) => void
  /** Forgets all of them: the task is over. */
  clear(): void
}

/** Reusable grants that are looked through for each call. */
const MOST_REUSABLE = 128
/** Above this many, those that expired are looked for. */
const MANY = 512

export function createHeldGrants(): HeldGrants {
  const all = new Set<HeldGrant>()
  const reusable = new LRUCache<HeldGrant, HeldGrant>({ max: MOST_REUSABLE })

  const unansweredCalls = new Map<string, HeldGrant>()

  function drop(grant: HeldGrant): void {
    grant.drop()
    all.delete(grant)
    reusable.delete(grant)
    for (const [callId, held] of unansweredCalls) if (held === grant) unansweredCalls.delete(callId)
  }

  function again(ask: GrantAsk, now: number): HeldGrant | undefined {
    const grant = unansweredCalls.get(ask.callId)
    if (grant === undefined || !grant.isLive(now) || !grant.covers(ask)) return undefined
    unansweredCalls.delete(ask.callId)
    grant.takeAgain()
    return grant
  }

  return {
    take(ask, now) {
      const same = again(ask, now)
      if (same !== undefined) return same
      // A copy: what is dropped on the way must not disturb the walk.
      const candidates = [...reusable.values()]
      for (const grant of candidates) {
        if (!grant.isLive(now)) drop(grant)
        else if (grant.action === ask.action && grant.covers(ask) && grant.take(ask.parameters)) {
          return reusable.get(grant)
        }
      }
      return undefined
    },
    add(grant, options) {
      if (all.size >= MANY) for (const held of all) if (!held.isLive(options.now)) drop(held)
      all.add(grant)
      if (options.reusable) reusable.set(grant, grant)
    },
    release(grant, unanswered) {
      grant.release()
      if (unanswered !== undefined && all.has(grant)) unansweredCalls.set(unanswered.callId, grant)
      else if (grant.isSpent() && ![...unansweredCalls.values()].includes(grant)) drop(grant)
    },
    drop,
    clear() {
      for (const grant of all) drop(grant)
    },
  }
}
