import { canonicalize } from '@hallpass/core'
import { refusal } from '../outcome/refusal.ts'
import type { WantedCall } from './call-plan.ts'
import type { Performed } from './perform-call.ts'

type Answered = Performed<Response>

/** Calls in flight, by call id: the same call made twice at once is one call that two wait for. */
export interface JoinedCalls {
  join(
    call: WantedCall,
    options: { readonly callId: string; readonly signal?: AbortSignal | undefined },
    perform: () => Promise<Answered>,
  ): Promise<Answered>
}

interface Running {
  /** The call in canonical form: the same id for another call is not the same call. */
  readonly what: string
  /** Who else waits, in the order they came. */
  readonly others: ((performed: Answered) => void)[]
}

/**
 * Joins by call id and by nothing else. Whoever came first owns the call and its signal; each of the others gets a copy
 * of the response, and its own signal ends only its waiting.
 */
export function createJoinedCalls(): JoinedCalls {
  const running = new Map<string, Running>()

  async function own(callId: string, call: Running, perform: () => Promise<Answered>): Promise<Answered> {
    running.set(callId, call)
    // Thrown means that the owner gave up: the others are told that the end is not known.
    let performed: Answered = refusal('api-unavailable')
    try {
      return (performed = await perform())
    } finally {
      running.delete(callId)
      // Every copy is made before anybody can read: a body that was read cannot be copied.
      const copies = call.others.map(() => copyOf(performed))
      for (const [index, resolve] of call.others.entries()) resolve(copies[index] ?? performed)
    }
  }

  return {
    async join({ action, resource, parameters }, { callId, signal }, perform) {
      const what = canonicalize([action.name, resource, parameters])
      const call = running.get(callId)
      if (call === undefined) return own(callId, { what, others: [] }, perform)
      return call.what === what ? wait(call, signal) : refusal('idempotency-conflict')
    },
  }
}

const copyOf = (performed: Answered): Answered =>
  performed.ok ? { ...performed, value: performed.value.clone() } : performed

function wait(call: Running, signal: AbortSignal | undefined): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal?.reason as Error)
    if (signal?.aborted) return giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    call.others.push((performed) => {
      signal?.removeEventListener('abort', giveUp)
      resolve(performed)
    })
  })
}
