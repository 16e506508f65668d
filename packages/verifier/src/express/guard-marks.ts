import type { Action } from '@hallpass/core'

export interface GuardMark {
  readonly verifier: object
  readonly action: Action
  /** Fixed paths that mounts put before the action's own, as `checkRoutes` found them. */
  readonly mounts: Set<string>
}

const marks = new WeakMap<object, GuardMark>()

/** Lets `checkRoutes` know a guard when it sees one. */
export const markGuard = (handler: object, mark: GuardMark): void => void marks.set(handler, mark)

export const guardMark = (handler: object): GuardMark | undefined => marks.get(handler)
