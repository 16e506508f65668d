import type { CallReason } from './advice.ts'
import { adviceFor } from './advice.ts'

/** A call or a task that did not happen. A value, not a throw; `ok` tells it from success, and the compiler asks. */
export interface Refusal {
  readonly ok: false
  readonly reason: CallReason
  /** What happened and what to do next, fit for a model: never a token, a key, a parameter value or how policy decides. */
  readonly message: string
  /** The same call may succeed later without anything being changed. */
  readonly retryable: boolean
  /** Id under which the trail explains this refusal, where the other side recorded one. */
  readonly event?: string
}

const EVENT = /^ev_[A-Za-z0-9_-]{1,64}$/

/**
 * @param event taken over only if it looks like an event id.
 * @param hint a sentence put before the advice; names things, never quotes a value.
 */
export function refusal(reason: CallReason, { event, hint }: { event?: unknown; hint?: string } = {}): Refusal {
  const { message, retryable } = adviceFor(reason)
  const text = hint === undefined ? message : `${hint} ${message}`
  const plain = { ok: false, reason, message: text, retryable } as const
  return typeof event === 'string' && EVENT.test(event) ? { ...plain, event } : plain
}
