import type { RefusalReason } from '@hallpass/core'
import type { VerifiedGrant } from './grant/verified-grant.ts'
import type { Answer } from './refusal/answer.ts'
import type { Use } from './use/use.ts'

/** The request is refused: nothing behind the guard may run. */
export interface RefusedCall {
  readonly kind: 'refused'
  readonly ok: false
  readonly reason: RefusalReason
  /** For the operator, never for the caller. */
  readonly detail?: string
  /** The event in the trail that explains it. */
  readonly event: string
  /** What to answer, made when it is asked for. */
  answer(): Answer
}

/** The request repeats one that was done: its recorded outcome is the answer, and the handler does not run again. */
export interface RepeatedCall {
  readonly kind: 'repeated'
  readonly ok: false
  readonly event: string
  answer(): Answer
}

/** One of the two written exceptions lets the request through unverified; it is on record, and there is no grant. */
export interface PassedCall {
  readonly kind: 'passed'
  readonly ok: false
  /** `or-else`: the route's old authentication decides. `observe`: refusals change nothing yet. */
  readonly by: 'or-else' | 'observe'
  readonly reason: RefusalReason
  readonly event: string
  /** The raw body, where it was read on the way. */
  readonly bytes: Uint8Array | undefined
}

export type Verdict<G = VerifiedGrant> = Use<G> | RefusedCall | RepeatedCall | PassedCall
