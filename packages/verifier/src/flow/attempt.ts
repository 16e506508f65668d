import type { JsonObject, JsonValue, MaybePromise, RedeemAnswer, RefusalReason, Refused } from '@hallpass/core'
import { refuse } from '@hallpass/core'
import type { PlannedAction } from '../call/planned-action.ts'
import type { Credential } from '../request/credential.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import type { RequestFields } from '../request/request-fields.ts'
import type { BareCall } from '../token/bare-call.ts'
import type { GenuineToken } from '../token/genuine-token.ts'

/** What verifyProof found: enough for the ledger to refuse the same proof twice. */
export interface AcceptedProof {
  readonly jkt: string
  readonly jti: string
  readonly iat: number
  readonly acceptUntil: number
}

type First = Extract<RedeemAnswer, { state: 'first' }>

/**
 * One request on its way through the steps. Each step reads what those before it found and adds its own; nobody else
 * writes to it. One shape from the start, so that the hot path stays on it.
 */
export interface Attempt {
  readonly planned: PlannedAction
  readonly call: IncomingCall
  readonly now: number
  /** Another authentication stands behind this verifier on this route. */
  readonly sharesRoute: boolean
  fields: RequestFields | undefined
  /** Raw query, without `?`. */
  query: string
  /** Path to route by: normalised, without authority. */
  path: string
  /** What `htu` must say. */
  url: string
  credential: Credential | undefined
  token: GenuineToken | undefined
  body: Uint8Array | undefined
  json: JsonValue | undefined
  proof: AcceptedProof | undefined
  /** The same bare call, covered before. */
  known: BareCall | undefined
  resource: string
  parts: Readonly<Record<string, string>>
  raw: JsonObject
  parameters: unknown
  /** Id of this call, where the caller gave one: joins the trail of client, broker and API. */
  callId: string | undefined
  event: string
  redeemed: First | undefined
  /** The recorded answer of the request this one repeats. */
  repeats: Exclude<Extract<RedeemAnswer, { ok: true }>, First> | undefined
}

/** A step found missing what an earlier one must have left: nothing passes for that. */
export const OUT_OF_ORDER: Refused<RefusalReason> = refuse('internal', 'A step ran before what it rests on')

/** One check or act. Undefined lets the attempt on to the next step. */
export type Step = (attempt: Attempt) => MaybePromise<Refused<RefusalReason> | undefined>

const NOTHING: JsonObject = Object.freeze(Object.create(null) as JsonObject)

export const startAttempt = (
  planned: PlannedAction,
  call: IncomingCall,
  more: { now: number; sharesRoute: boolean },
): Attempt => ({
  planned,
  call,
  now: more.now,
  sharesRoute: more.sharesRoute,
  fields: undefined,
  query: '',
  path: '',
  url: '',
  credential: undefined,
  token: undefined,
  body: undefined,
  json: undefined,
  proof: undefined,
  known: undefined,
  resource: '',
  parts: NOTHING as Readonly<Record<string, never>>,
  raw: NOTHING,
  parameters: undefined,
  callId: undefined,
  event: '',
  redeemed: undefined,
  repeats: undefined,
})
