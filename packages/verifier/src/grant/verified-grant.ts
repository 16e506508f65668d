import type { Action, ParametersOut, PartsOf, ResourceOf } from '@hallpass/core'

/** Only a verifier makes one: what carries this was proven, not named. */
declare const proven: unique symbol

/** What a handler may rely on. Everything in it was signed, proven and spent for this very request. */
export interface VerifiedGrant<A extends Action = Action> {
  readonly [proven]: true
  /** `jti` of the grant. */
  readonly id: string
  /** Id of the task it belongs to. */
  readonly txn: string
  /** Id of the agent that made this call. */
  readonly agent: string
  /** Person or team that answers for the agent. */
  readonly owner: string
  /** The agent, or the user on whose behalf it acts. */
  readonly subject: string
  /** The user on whose behalf the agent acts; absent where it acts for itself. */
  readonly onBehalfOf?: string
  readonly action: A['name']
  /** The resource of this request, never a class: `order:123`. */
  readonly resource: ResourceOf<A>
  /** Values of the resource template's parameters: `{ id: '123' }`. */
  readonly resourceParts: PartsOf<A>
  /** The checked parameters: body, query and route together, decimals as `Decimal`. */
  readonly parameters: ParametersOut<A>
  readonly usesLeft: number
  /** Id of the event in the trail that records this use. */
  readonly event: string
  /** NumericDate at which the grant ends. */
  readonly expiresAt: number
  /**
   * Returns this use, because nothing was done with it. Only until the response is finished, and only while grant and
   * task live. No status code does this.
   * @param reason one short sentence for the trail.
   * @returns whether the use came back.
   */
  giveBack(reason: string): Promise<boolean>
}
