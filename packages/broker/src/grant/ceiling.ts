import { matchResource, ok, refuse, type Action, type Ceiling, type RefusalReason, type Result } from '@hallpass/core'

/** Whether a ceiling lets this action touch this resource or class; an absent member does not narrow. */
export function isUnderCeiling(ceiling: Ceiling | undefined, action: string, identifier: string): boolean {
  const actions = ceiling?.actions
  const resources = ceiling?.resources
  if (actions !== undefined && !actions.includes(action)) return false
  return resources === undefined || resources.some((pattern) => isWithin(pattern, identifier))
}

/** A class is within a pattern only when the pattern is that class. */
const isWithin = (pattern: string, identifier: string): boolean =>
  identifier.endsWith(':*') ? pattern === identifier : matchResource(pattern, identifier)

/** Checks that a ceiling names actions and kinds that exist, so that a typing error does not pass for a narrow task. */
export function checkCeiling(
  ceiling: Ceiling | undefined,
  actions: ReadonlyMap<string, Action>,
): Result<true, RefusalReason> {
  if (ceiling?.actions?.some((name) => !actions.has(name)))
    return refuse('details-invalid', 'the ceiling names an unknown action')
  const kinds = new Set([...actions.values()].map(({ kind }) => kind))
  const isKnown = (pattern: string): boolean => kinds.has(pattern.slice(0, Math.max(0, pattern.indexOf(':'))))
  if (ceiling?.resources?.some((pattern) => !isKnown(pattern))) {
    return refuse('details-invalid', 'the ceiling names a resource of an unknown kind')
  }
  return ok(true)
}
