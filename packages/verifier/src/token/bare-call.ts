import type { EventStem, RefusalReason, Refused } from '@hallpass/core'
import type { PlannedAction } from '../call/planned-action.ts'

/**
 * A call without query, body and parameters that a grant was held against. Where it leads and whether it is covered are
 * pure functions of what stands here and of the token, so an equal call has the same answer.
 */
export interface BareCall {
  readonly planned: PlannedAction
  readonly method: string
  readonly target: string
  /** Copied, since the framework's own object may be written to. */
  readonly route: Readonly<Record<string, string>> | undefined
  readonly mount: string | undefined
  readonly url: string
  /** Why it is not covered; undefined where it is. */
  readonly refusal: Refused<RefusalReason> | undefined
  /** Empty where no resource could be told. */
  readonly resource: string
  /** Frozen: the handlers of several requests are handed it. */
  readonly parts: Readonly<Record<string, string>>
  /** What the events of such calls share; from the first of them on. */
  facts: EventStem | undefined
}

interface SameCall {
  readonly planned: PlannedAction
  readonly call: {
    readonly method: string
    readonly target: string
    readonly route?: Readonly<Record<string, string>>
    readonly mount?: string
  }
}

/** Whether this very call was held against the grant before. */
export function isSameCall(bare: BareCall, { planned, call }: SameCall): boolean {
  if (bare.target !== call.target || bare.planned !== planned || bare.method !== call.method) return false
  const { route } = bare
  if (bare.mount !== call.mount) return false
  if (route === undefined || call.route === undefined) return route === call.route
  let more = 0
  for (const name in call.route) {
    if (call.route[name] !== route[name]) return false
    more += 1
  }
  for (const _ in route) more -= 1
  return more === 0
}
