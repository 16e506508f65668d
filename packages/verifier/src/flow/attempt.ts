import type { JsonObject, JsonValue, MaybePromise, RedeemAnswer, RefusalReason, Refused } from '@hallpass/core'
import { refuse } from '@hallpass/core'
import type { PlannedAction } from '../call/planned-action.ts'
import type { Credential } from '../request/credential.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import type { RequestFields } from '../request/request-fields.ts'
import type { TracedCall } from '../telemetry/traced-call.ts'
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

const NOTHING: JsonObject = Object.freeze(Object.create(null) as JsonObject)

/**
 * One request on its way through the steps. Each step reads what those before it found and adds its own; nobody else
 * writes to it.
 *
 * A class, because V8 places object literals into old space once many of them survived by chance, and what is filled in
 * step by step there keeps everything it points to alive.
 */
export class Attempt {
  readonly planned: PlannedAction
  call: IncomingCall
  /** NumericDate seconds, read again after every wait. */
  now: number
  readonly clock: () => number
  /** Another authentication stands behind this verifier on this route. */
  readonly sharesRoute: boolean
  fields: RequestFields | undefined = undefined
  credential: Credential | undefined = undefined
  token: GenuineToken | undefined = undefined
  /** Raw query, without `?`. */
  query = ''
  /** Path to route by: normalised, without authority. */
  path = ''
  /** What `htu` must say. */
  url = ''
  body: Uint8Array | undefined = undefined
  json: JsonValue | undefined = undefined
  proof: AcceptedProof | undefined = undefined
  /** The same bare call, covered before. */
  known: BareCall | undefined = undefined
  resource = ''
  parts: Readonly<Record<string, string>> = NOTHING as Readonly<Record<string, never>>
  raw: JsonObject = NOTHING
  parameters: unknown = undefined
  /** Id of this call, where the caller gave one: joins the trail of client, broker and API. */
  callId: string | undefined = undefined
  event = ''
  redeemed: First | undefined = undefined
  /** The recorded answer of the request this one repeats. */
  repeats: Exclude<Extract<RedeemAnswer, { ok: true }>, First> | undefined = undefined
  /** Where somebody traces this call. */
  traced: TracedCall | undefined = undefined

  constructor(
    planned: PlannedAction,
    call: IncomingCall,
    more: { readonly clock: () => number; readonly sharesRoute: boolean },
  ) {
    this.planned = planned
    this.call = call
    this.now = more.clock()
    this.clock = more.clock
    this.sharesRoute = more.sharesRoute
  }
}

/** A step found missing what an earlier one must have left: nothing passes for that. */
export const OUT_OF_ORDER: Refused<RefusalReason> = refuse('internal', 'A step ran before what it rests on')

/** One check or act. Undefined lets the attempt on to the next step. */
export type Step = (attempt: Attempt) => MaybePromise<Refused<RefusalReason> | undefined>
