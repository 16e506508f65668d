import type { GrantAsk } from '../broker/broker.ts'
import { heldBehind } from '../grant/grant-handle.ts'
import type { Grant } from '../grant/grant.ts'
import type { HeldGrant } from '../grant/held-grant.ts'

// Asked of the runtime instead of imported: a runtime without it runs everything but `currentGrant()`.
const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks')
const storage = hooks && new hooks.AsyncLocalStorage<Grant>()

/** Runs `work`, and everything it starts, under this grant. Parallel runs each see their own. */
export const underGrant = <T>(grant: Grant, work: () => T): T => (storage ? storage.run(grant, work) : work())

/** The grant at hand, if it belongs to this task and covers this call. */
export function grantAtHand(txn: string, ask: Omit<GrantAsk, 'callId'>): HeldGrant | undefined {
  const grant = storage?.getStore()
  const held = grant && heldBehind(grant)
  return held?.txn === txn && held.covers(ask) ? held : undefined
}

/**
 * The grant of the tool that is running, from anywhere inside it.
 *
 * @returns nothing outside a guarded tool, and on runtimes without `AsyncLocalStorage`.
 */
export const currentGrant = (): Grant | undefined => storage?.getStore()
