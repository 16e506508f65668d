import type { JsonObject, JsonValue, RefusalReason, Refused, Result } from '@hallpass/core'
import { assembleParameters, isJsonObject, ok, partsOfResource, refuse, resourceFrom } from '@hallpass/core'
import { matchRoute } from '../request/match-route.ts'
import type { PlannedAction } from './planned-action.ts'

/** What one request asks for: exactly this is compared with the grant, and exactly this the handler gets. */
export interface CallAsk {
  readonly resource: string
  readonly parts: Readonly<Record<string, string>>
  readonly parameters: JsonObject
}

export interface AskInput {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly route: Readonly<Record<string, string>> | undefined
  readonly mount?: string | undefined
  readonly body: JsonValue | undefined
}

const OTHER_METHOD: Refused<RefusalReason> = refuse('action-mismatch', "The request's method is not the action's")
const OTHER_VIEW: Refused<RefusalReason> = refuse(
  'request-malformed',
  "The router's parameters are not those of the path that was proven",
)
const NOT_A_CALL: Refused<RefusalReason> = refuse(
  'request-malformed',
  'A local call is exactly { resource, parameters }',
)

/**
 * Works out what a request asks for. HEAD is a method of its own: an action declared for GET does not cover it.
 * The path below the public URL is exactly the action's, whatever a router let through: no mount with a parameter of its
 * own, no other letter case, no trailing slash; and the router read the same values off it.
 * Parameters are body, query and those route parameters that are not in the resource, each from one place only.
 */
export function askOf(planned: PlannedAction, input: AskInput): Result<CallAsk, RefusalReason> {
  if (input.method !== planned.method) return OTHER_METHOD
  const { action, template, partNames } = planned
  if (template === undefined) return localAsk(planned, input.body)
  const matched = matchRoute(template, below(input.mount, input.path))
  if (!matched.ok) return matched
  const route = input.route ?? matched.value
  if (route !== matched.value && !isSameRoute(route, matched.value)) return OTHER_VIEW
  const resource = resourceFrom(action, route)
  if (!resource.ok) return resource
  const parameters = assembleParameters(action, { route, query: input.query, body: input.body })
  if (!parameters.ok) return parameters
  const parts: Record<string, string> = {}
  for (const name of partNames) parts[name] = route[name] ?? ''
  return ok({ resource: resource.value, parts, parameters: parameters.value })
}

const below = (mount: string | undefined, path: string): string =>
  mount !== undefined && path.startsWith(`${mount}/`) ? path.slice(mount.length) : path

function isSameRoute(route: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>): boolean {
  for (const name in own) if (route[name] !== own[name]) return false
  return true
}

/** An action without a route is called in process; what would be path and body is one closed object. */
function localAsk({ action }: PlannedAction, body: JsonValue | undefined): Result<CallAsk, RefusalReason> {
  if (!isJsonObject(body) || Object.keys(body).length !== 2) return NOT_A_CALL
  const resource = body['resource']
  const parameters = body['parameters']
  if (typeof resource !== 'string' || !isJsonObject(parameters)) return NOT_A_CALL
  const parts = partsOfResource(action, resource)
  return parts.ok ? ok({ resource, parts: parts.value, parameters }) : parts
}
