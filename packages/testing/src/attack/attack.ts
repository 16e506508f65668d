import type { JsonObject, RefusalReason } from '@hallpass/core'
import type { TestKey } from '../key/test-key.ts'

/** A request as data, so that any transport can send it, repeated headers included. */
export interface AttackRequest {
  readonly method: string
  /** With query. */
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** One honest call, and everything needed to bend it: the keys of broker and agent are in the open. */
export interface AttackMaterial {
  /** NumericDate seconds. */
  readonly now: number
  readonly issuer: string
  readonly audience: string
  readonly method: string
  /** Without query. */
  readonly url: string
  readonly query?: string
  readonly body?: string
  /** A live grant for exactly this call, bound to `holder`. */
  readonly token: string
  /** Its header and claims. */
  readonly header: JsonObject
  readonly claims: JsonObject
  /** The task it belongs to, as its token. */
  readonly taskToken: string
  readonly brokerKey: TestKey
  readonly holder: TestKey
}

/** One way around the verifier, and what it must say. */
export interface Attack {
  /** Stable: `token.alg-none`. */
  readonly id: string
  /** What is tried, in a few words. */
  readonly title: string
  /** What the trail calls it. */
  readonly reason: RefusalReason
  readonly status: number
  /** Sent before, and let through. */
  readonly before?: (material: AttackMaterial) => AttackRequest
  readonly make: (material: AttackMaterial) => AttackRequest
}
