import type { HeldGrant } from '../grant/held-grant.ts'
import type { Grant } from '../grant/grant.ts'

/** The grant a tool runs under, for the code the tool calls. */
export interface CallContext {
  readonly held: HeldGrant
  readonly grant: Grant
}

// Asked of the runtime instead of imported: a runtime without it runs everything but `currentGrant()`.
const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks')
const storage = hooks && new hooks.AsyncLocalStorage<CallContext>()

/** Runs `work`, and everything it starts, under this grant. Parallel runs each see their own. */
export const underGrant = <T>(context: CallContext, work: () => T): T => (storage ? storage.run(context, work) : work())

export const currentContext = (): CallContext | undefined => storage?.getStore()

/**
 * The grant of the tool that is running, from anywhere inside it.
 *
 * @returns nothing outside a guarded tool, and on runtimes without `AsyncLocalStorage`.
 */
export const currentGrant = (): Grant | undefined => currentContext()?.grant
