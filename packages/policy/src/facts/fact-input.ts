import type { ActionName, ApiSet } from '@hallpass/core'
import type { RequestFor, Words } from '../rule/rule-request.ts'

/** Something a rule has to know that is not in the request. */
export interface FactInput<Value, S extends ApiSet, W extends Words> {
  /**
   * Loads it for one request; `signal` aborts at the timeout. What fails, is late, or is not plain data
   * (JSON and `Decimal`; `null` for nothing, never `undefined`) denies the request.
   */
  readonly load: (r: RequestFor<S, ActionName<S>, object, W>, signal: AbortSignal) => Value | Promise<Value>
  readonly timeoutMs: number
}

export type FactInputs<Facts, S extends ApiSet, W extends Words> = {
  readonly [K in keyof Facts]: FactInput<Facts[K], S, W>
}
