import type { Action, ActionName, ActionOf, Api, MaybePromise } from '@hallpass/core'
import type { VerifiedGrant } from './grant/verified-grant.ts'
import type { ResourceMetadata } from './metadata.ts'
import type { BodyReader, IncomingCall } from './request/incoming-call.ts'
import type { Rollout } from './rollout.ts'
import type { Verdict } from './verdict.ts'

/** The typed grant of one action of a catalog. */
export type GrantOf<A extends Api, N extends ActionName<A>> = VerifiedGrant<Extract<ActionOf<A, N>, Action>>

/** A request whose token proved genuine, and whose body may be read now. */
export interface OpenCall<G = VerifiedGrant> {
  readonly kind: 'open'
  readonly ok: true
  /** The rest of the flow. `body` stands in for the call's own reader where the framework reads the body. */
  finish(body?: BodyReader): MaybePromise<Verdict<G>>
}

/** A verifier set to one action: what a door calls for each request. */
export interface ActionVerifier<G = VerifiedGrant> {
  readonly action: Action
  /** The whole flow. Synchronous where every part of it is. */
  verify(call: IncomingCall): MaybePromise<Verdict<G>>
  /** The flow up to where the body is needed, for frameworks that read it themselves. */
  open(call: IncomingCall): MaybePromise<OpenCall<G> | Exclude<Verdict<G>, { readonly kind: 'admitted' }>>
}

/** Stands in front of an API and refuses every call that no live grant covers. */
export interface Verifier<A extends Api = Api> {
  readonly api: A
  readonly audience: string
  readonly issuer: string
  readonly publicUrl: string
  /** NumericDate seconds, of the verifier's clock. */
  readonly now: () => number
  /** @throws HallpassError `configuration-invalid` for an action the catalog has not, or a rollout that never ends. */
  forAction<N extends ActionName<A>>(action: N, rollout?: Rollout): ActionVerifier<GrantOf<A, N>>
  /** Verifies one request for one action, and spends its grant. */
  verify<N extends ActionName<A>>(action: N, call: IncomingCall): MaybePromise<Verdict<GrantOf<A, N>>>
  /** RFC 9728 metadata of this API, to be served at `metadataPath`. */
  metadata(): ResourceMetadata
  readonly metadataPath: string
  /** Waits for outcomes still being recorded, and writes the refusals counted so far. */
  readonly flush: () => Promise<void>
}
