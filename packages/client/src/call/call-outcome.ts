import type { ActionName, ActionOf, ApiSet, ParametersIn, RefusalReason, ResourceOf } from '@hallpass/core'
import type { Grant } from '../grant/grant.ts'
import type { GrantView } from '../grant/held-grant.ts'
import type { Refusal } from '../outcome/refusal.ts'

export interface CallOptions {
  /** Names this call: asked again with the same id, it is the same call, and the API carries it out once. */
  readonly callId?: string
  /** Gives up; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** No parameters at all read as an index signature; otherwise every one must be optional. */
type MayBeLeftOut<P> = string extends keyof P ? true : Partial<P> extends P ? true : false

type ParametersField<A> =
  MayBeLeftOut<ParametersIn<A>> extends true
    ? { readonly parameters?: ParametersIn<A> }
    : { readonly parameters: ParametersIn<A> }

/** What a call of an action needs, typed by the catalog. */
export type CallInput<A> = CallOptions & ParametersField<A> & { readonly resource: ResourceOf<A> }

export type CallInputOf<S extends ApiSet, N extends ActionName<S>> = CallInput<ActionOf<S, N>> & {
  /** Sent instead of the call id. Writes carry a key by default; a read carries one only if it is given here. */
  readonly idempotencyKey?: string
}

/** How a call ended. `ok` means that the API answered; its own errors are in `response`. */
export type CallOutcome =
  | { readonly ok: true; readonly response: Response; readonly grant: GrantView; readonly callId: string }
  | (Refusal & { readonly callId: string })

export type GrantOutcome = { readonly ok: true; readonly grant: Grant } | Refusal

/** A function of this process behind the verifier's `guard()`, as far as it is needed to call it. */
export interface GuardedFunction<Name extends string, R> {
  readonly action: Name
  readonly audience: string
  readonly url: string
  call(call: {
    readonly authorization: string
    readonly proof: string
    readonly body: string
    readonly idempotencyKey?: string
  }): Promise<
    | { readonly ok: true; readonly value: R; readonly event: string }
    | { readonly ok: false; readonly reason: RefusalReason; readonly event: string }
  >
}

/** How a call of a guarded function ended. */
export type InvokeOutcome<R> =
  | { readonly ok: true; readonly value: R; readonly grant: GrantView; readonly callId: string }
  | (Refusal & { readonly callId: string })
