import type { ActionName, ApiSet } from '@hallpass/core'
import type { CallInputOf, CallOutcome, GrantOutcome, GuardedFunction, InvokeOutcome } from '../call/call-outcome.ts'
import type { Refusal } from '../outcome/refusal.ts'

/** Ending is a value too: refused means that the broker could not be told, and the deadline ends the task instead. */
export type EndOutcome = { readonly ok: true } | Refusal

/** A bounded piece of work. Grants live inside it and die with it. */
export interface Task<S extends ApiSet = ApiSet> {
  readonly ok: true
  /** Id of the task in the trail. */
  readonly txn: string
  readonly purpose: string
  /** Aborted when the task is over, whoever ended it. */
  readonly over: AbortSignal

  /**
   * Makes one call: asks for a grant, or takes one of this task that still covers the call, and sends the request the
   * catalog describes with it and a fresh proof.
   *
   * @returns the API's response, or a refusal whose message a model may read. It is never sent without a grant.
   * @throws `HallpassError` with `configuration-invalid` for an action the catalog does not have or that has no route;
   *   the reason of `signal` when the caller gives up.
   */
  call<N extends ActionName<S>>(action: N, input: CallInputOf<S, N>): Promise<CallOutcome>

  /** Asks for a grant without using it yet. Its `fetch` sends the request it is for. */
  grant<N extends ActionName<S>>(action: N, input: CallInputOf<S, N>): Promise<GrantOutcome>

  /**
   * Calls a function of this process that the verifier's `guard()` protects, with every check a request gets.
   *
   * @returns what the function returned, or a refusal. What it throws is thrown.
   */
  invoke<N extends ActionName<S>, R>(
    guarded: GuardedFunction<N, R>,
    input: CallInputOf<S, N>,
  ): Promise<InvokeOutcome<R>>

  /**
   * A `fetch` for SDKs: finds the action by method and URL, and sends with grant and proof. A caller's `Authorization` is
   * replaced, its `Idempotency-Key` is the call id. Redirects are not followed.
   *
   * @returns the API's response; or, where nothing was sent or the verifier refused, an RFC 9457 response of 4xx or 503
   *   that says why. A URL outside the catalog is answered with 403 and never sent.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>

  /** Ends the task as done. Every grant in it is dead; the first end stands. */
  complete(): Promise<EndOutcome>
  /** Ends the task as failed. */
  fail(): Promise<EndOutcome>
  /** Ends the task as cancelled. */
  cancel(): Promise<EndOutcome>
  /** Ends as abandoned what was not ended before. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A task that was not opened. It has none of a task's methods, so that the compiler asks for `ok` first. */
export interface TaskRefused extends Refusal {
  [Symbol.asyncDispose](): Promise<void>
}
