import { canonicalize } from '../json/canonicalize.ts'
import { parseStrictJson } from '../json/parse-strict-json.ts'
import { isWellFormed } from '../json/well-formed.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import type { Action, Method } from './api.ts'
import { partsOfResource } from './resource.ts'
import { compileAction, inQuery } from './route-template.ts'
import type { Segment } from './route-template.ts'

/** An HTTP request to make, without its origin. */
export interface BuiltCall {
  readonly method: Method
  /** Encoded, with `?query` where there is one. */
  readonly path: string
  /** Raw query without `?`; empty when there is none. */
  readonly query: string
  /** JSON text. */
  readonly body?: string
}

/**
 * The request for one action on one resource: the client's side of the mapping `assembleParameters` reads back.
 *
 * GET, HEAD and DELETE carry parameters in the query, other methods in a JSON body; route parameters go where the route
 * names them. Refuses a resource of another kind, unknown parameters, and values their place cannot carry.
 */
export function buildCall(action: Action, resource: string, parameters: JsonObject): Result<BuiltCall, RefusalReason> {
  const { segments, carried } = compileAction(action)
  if (action.method === undefined || segments === undefined) return refuse('request-invalid', 'the action has no route')
  const parts = partsOfResource(action, resource)
  if (!parts.ok) return parts
  const names = Object.keys(parameters).filter((name) => parameters[name] !== undefined)
  const isKnown = (name: string): boolean => Object.hasOwn(action.parameters.shape, name)
  if (!names.every(isKnown)) return refuse('parameters-invalid', 'there is a parameter the action does not know')
  const path = fillPath(segments, (name) => (carried.includes(name) ? own(parameters, name) : parts.value[name]))
  if (path === undefined) return refuse('parameters-invalid', 'a route parameter is missing or cannot stand in a path')
  const rest = names.filter((name) => !carried.includes(name))
  const { method } = action
  if (rest.length === 0) return ok({ method, path, query: '' })
  if (!inQuery(method)) {
    const body = buildBody(rest, parameters)
    return body === undefined
      ? refuse('parameters-invalid', 'a parameter is not JSON a strict reader takes')
      : ok({ method, path, query: '', body })
  }
  const query = buildQuery(rest, parameters)
  if (query === undefined) return refuse('parameters-invalid', 'a query carries text only')
  return ok({ method, path: `${path}?${query}`, query })
}

const own = (parameters: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(parameters, name) ? parameters[name] : undefined

function fillPath(segments: readonly Segment[], valueOf: (name: string) => JsonValue | undefined): string | undefined {
  let path = ''
  for (const segment of segments) {
    if ('literal' in segment) {
      path += `/${segment.literal}`
      continue
    }
    const value = valueOf(segment.parameter)
    if (typeof value !== 'string' || value === '' || value === '.' || value === '..' || !isWellFormed(value))
      return undefined
    // The other side refuses these in a path, however they are encoded.
    // eslint-disable-next-line no-control-regex
    if (/[/\\\u0000-\u001f\u007f]/.test(value)) return undefined
    path += `/${encodeURIComponent(value)}`
  }
  return path === '' ? '/' : path
}

/** JSON that the other side's strict parser takes; undefined for anything else. */
function buildBody(names: readonly string[], parameters: JsonObject): string | undefined {
  try {
    const body = canonicalize(Object.fromEntries(names.map((name) => [name, parameters[name] as JsonValue])))
    return parseStrictJson(body).ok ? body : undefined
  } catch {
    return undefined
  }
}

function buildQuery(names: readonly string[], parameters: JsonObject): string | undefined {
  const pairs: string[] = []
  for (const name of names) {
    const value = parameters[name]
    if (typeof value !== 'string' || !isWellFormed(value)) return undefined
    pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  }
  return pairs.join('&')
}
