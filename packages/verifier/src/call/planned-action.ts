import type { Action, Api } from '@hallpass/core'
import { HallpassError, findAction } from '@hallpass/core'
import type { RouteTemplate } from '../request/match-route.ts'
import { parseTemplate } from '../request/match-route.ts'

/** An action with what can be worked out before the first request. */
export interface PlannedAction {
  readonly action: Action
  readonly name: string
  readonly audience: string
  /** POST for an action without a route. */
  readonly method: string
  readonly template: RouteTemplate | undefined
  /** Names in the resource template, in order: what `resourceParts` holds. */
  readonly partNames: readonly string[]
  /** The action has no parameters at all, so that none need parsing. */
  readonly takesNothing: boolean
}

/**
 * Looks up an action of a catalog.
 * @throws HallpassError `configuration-invalid` where the catalog has no action of that name.
 */
export function planAction(api: Api, name: string): PlannedAction {
  const action = findAction(api, name)
  if (action === undefined) {
    throw new HallpassError(
      'configuration-invalid',
      `The API ${api.audience} has no action ${name}; declare it in defineApi`,
    )
  }
  return {
    action,
    name: action.name,
    audience: action.audience,
    method: action.method ?? 'POST',
    template: action.path === undefined ? undefined : parseTemplate(action.path),
    partNames: [...action.resource.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? ''),
    takesNothing: Object.keys(action.parameters.shape).length === 0,
  }
}
