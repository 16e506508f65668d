import { isObject } from '../json/is-object.ts'
import { isWellFormed } from '../json/well-formed.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import type { Action } from './api.ts'
import { compileAction, inQuery } from './route-template.ts'

/** What a request carried, each part decoded exactly once; `query` is raw, without `?`. */
export interface RequestInput {
  readonly route: Readonly<Record<string, string>>
  readonly query: string
  readonly body: JsonValue | undefined
}

/**
 * The raw parameters of a request: body, query, and the route parameters that are not the resource.
 *
 * Each parameter has one place: the route where its template names it, else the query of GET, HEAD and DELETE, else the
 * body. A parameter elsewhere, in two places or repeated, input the action does not know, and a body that is not an object
 * are refused: a handler reads one place, and what is checked is what it sees. Does not validate values:
 * `parseParameters` does.
 */
export function assembleParameters(action: Action, input: RequestInput): Result<JsonObject, RefusalReason> {
  const { carried, resource } = compileAction(action)
  const { shape } = action.parameters
  const raw: Record<string, JsonValue> = {}
  if (inQuery(action.method) ? input.body !== undefined : input.query !== '') return misplaced()
  if (input.body !== undefined) {
    if (!isObject(input.body)) return refuse('parameters-invalid', 'the body is not a JSON object')
    for (const name of Object.keys(input.body)) {
      if (!Object.hasOwn(shape, name)) return unknownInput()
      if (carried.includes(name)) return misplaced()
      raw[name] = input.body[name] as JsonValue
    }
  }
  if (input.query !== '') {
    const members = parseQuery(input.query)
    if (members === undefined)
      return refuse('request-malformed', 'the query is not a plain list of distinct name=value')
    for (const [name, value] of members) {
      if (!Object.hasOwn(shape, name)) return unknownInput()
      if (carried.includes(name)) return misplaced()
      raw[name] = value
    }
  }
  for (const name of Object.keys(input.route)) {
    if (resource.parameters.includes(name)) continue
    if (!carried.includes(name) || !Object.hasOwn(shape, name)) return unknownInput()
    const value = input.route[name]
    if (typeof value !== 'string') return unknownInput()
    raw[name] = value
  }
  return ok(raw)
}

const unknownInput = () => refuse('parameters-invalid', 'the request carries input the action does not know')
const misplaced = () =>
  refuse(
    'parameters-invalid',
    'parameters travel where the route names them, in the query of GET, HEAD and DELETE, or in the body',
  )

/** Members of a form-encoded query, in order; undefined for repeated or nameless members and bad escapes. */
function parseQuery(query: string): Map<string, string> | undefined {
  const members = new Map<string, string>()
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 1 ? undefined : decode(pair.slice(0, equals))
    const value = decode(pair.slice(equals + 1))
    if (name === undefined || value === undefined || members.has(name)) return undefined
    members.set(name, value)
  }
  return members
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return isWellFormed(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}

/**
 * Runs the action's schema over raw parameters; the output is what policy and handler see.
 *
 * `parameters-invalid` names the parameter that failed, never its value. A schema that throws or is asynchronous refuses.
 */
export function parseParameters(action: Action, raw: JsonObject): Result<unknown, RefusalReason> {
  try {
    const parsed = action.parameters.safeParse(raw)
    if (parsed.success) return ok(parsed.data)
    return refuse('parameters-invalid', describe(action, parsed.error.issues[0]?.path[0]))
  } catch {
    return refuse('parameters-invalid', 'the schema of the action failed')
  }
}

function describe(action: Action, name: PropertyKey | undefined): string {
  const known = typeof name === 'string' && Object.hasOwn(action.parameters.shape, name)
  return known ? `parameter '${name}' does not fit its schema` : 'there is a parameter the action does not know'
}
