import { z } from 'zod'
import { HallpassError } from '../fault.ts'
import type { Action, ActionInput, Api, Method } from './api.ts'
import { isLoose, openness, takesText } from './check-parameters.ts'
import { inQuery, parsePath, parseResource } from './route-template.ts'
import type { Segment } from './route-template.ts'

/** The parameters of an action that declares none. */
export type NoParameters = z.ZodObject<Record<string, never>, z.core.$strict>

type ParametersOf<I> = I extends { readonly parameters: infer P extends z.ZodObject } ? P : NoParameters

/** The catalog's actions as the rest of Hallpass sees them. */
export type DefinedActions<Inputs extends Readonly<Record<string, ActionInput>>> = {
  readonly [Name in keyof Inputs & string]: Action<Name, Inputs[Name]['resource'], ParametersOf<Inputs[Name]>>
}

/** Makes a misspelt member of an action an error where it stands. */
type OnlyKnown<Inputs> = {
  readonly [Name in keyof Inputs]: { readonly [Member in Exclude<keyof Inputs[Name], keyof ActionInput>]: never }
}

const ACTION = /^[A-Za-z][A-Za-z0-9._:-]{0,127}$/
const ROUTE = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/.*)$/
const MEMBERS = new Set(['route', 'resource', 'risk', 'parameters', 'title'])
const RISKS: readonly unknown[] = ['read', 'write', 'critical']
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/

const invalid = (what: string): HallpassError => new HallpassError('api-invalid', what)

/**
 * Declares a protected service: its audience and its catalog of actions. Everything else is typed from it.
 *
 * `audience` is the service's identifier, an absolute http(s) URL without query and fragment (RFC 8707).
 * Throws `api-invalid` where the catalog does not hold together; the message names the action.
 * Does not check that the server has these routes: `checkRoutes` of the verifier does.
 */
export function defineApi<const Inputs extends Readonly<Record<string, ActionInput>>>(input: {
  readonly audience: string
  readonly title?: string
  readonly actions: Inputs & OnlyKnown<Inputs>
}): Api<DefinedActions<Inputs>> {
  const { audience, title } = input
  checkAudience(audience)
  const actions: Record<string, Action> = {}
  for (const [name, action] of Object.entries<ActionInput>(input.actions as Inputs)) {
    if (!ACTION.test(name)) throw invalid(`Action '${name}' is not a name: letters, digits and . _ : - only.`)
    actions[name] = Object.freeze(defineAction(name, action, audience))
  }
  refuseOverlaps(Object.values(actions))
  refuseMixedKinds(Object.values(actions))
  const api: Api = { audience, ...(title === undefined ? {} : { title }), actions: Object.freeze(actions) }
  return Object.freeze(api) as Api<DefinedActions<Inputs>>
}

/** An order whose id is `all` must not be the resource of a route about all orders. */
function refuseMixedKinds(actions: readonly Action[]): void {
  const isConstant = ({ resource }: Action): boolean => !resource.includes('{')
  const open = new Set(actions.filter((action) => !isConstant(action)).map(({ kind }) => kind))
  const mixed = actions.find((action) => isConstant(action) && open.has(action.kind))
  if (mixed === undefined) return
  throw invalid(
    `Action '${mixed.name}' has the constant resource '${mixed.resource}', but other actions name resources of that kind; give it a kind of its own, such as '${mixed.kind}s'.`,
  )
}

function checkAudience(audience: string): void {
  const isUrl = typeof audience === 'string' && /^https?:\/\/[^\s\\?#@]+$/.test(audience) && URL.canParse(audience)
  if (!isUrl) {
    const shown = typeof audience === 'string' ? `'${audience}'` : 'It'
    throw invalid(`${shown} is not an audience: use the API's absolute URL without user, query and fragment.`)
  }
}

function defineAction(name: string, input: ActionInput, audience: string): Action {
  const odd = Object.keys(input).find((member) => !MEMBERS.has(member))
  if (odd !== undefined) throw invalid(`Action '${name}' has a member '${odd}' that means nothing here.`)
  if (!RISKS.includes(input.risk)) throw invalid(`Action '${name}' needs a risk: read, write or critical.`)
  const resource = parseResource(input.resource)
  if (resource === undefined) {
    throw invalid(
      `Action '${name}' has the resource '${input.resource}'; write it like order:{id}, with text between two parameters, or like orders:all where the route names nothing.`,
    )
  }
  const parameters = closedParameters(name, input.parameters)
  const route = input.route === undefined ? undefined : parseRoute(name, input.route)
  const names = Object.keys(parameters.shape)
  const taken = resource.parameters.find((parameter) => names.includes(parameter))
  if (taken !== undefined)
    throw invalid(`Action '${name}' has '${taken}' both in its resource and in its parameters; rename one.`)
  if (route !== undefined) checkRoute(name, { ...route, resource: resource.parameters, parameters })
  return {
    name,
    audience,
    ...(route === undefined ? {} : { method: route.method, path: route.path }),
    resource: input.resource,
    kind: resource.kind,
    risk: input.risk,
    parameters,
    ...(input.title === undefined ? {} : { title: input.title }),
  }
}

function closedParameters(name: string, given: z.ZodObject | undefined): z.ZodObject {
  if (given === undefined) return z.strictObject({}) as z.ZodObject
  if (!(given instanceof z.ZodObject)) throw invalid(`Action '${name}' needs a z.object for its parameters.`)
  if (isLoose(given))
    throw invalid(`Action '${name}' takes parameters it does not name; use z.object without .loose() or .catchall().`)
  const strict = given.strict() as z.ZodObject
  const odd = Object.keys(strict.shape).find(
    (parameter) => !PARAMETER_NAME.test(parameter) || parameter === '__proto__',
  )
  if (odd !== undefined) throw invalid(`Action '${name}' has a parameter '${odd}'; use letters, digits and _ . - only.`)
  const problem = openness(strict, 'parameters')
  if (problem !== undefined) throw invalid(`Action '${name}': ${problem}.`)
  return strict
}

interface ParsedRoute {
  readonly method: Method
  readonly path: string
  readonly segments: readonly Segment[]
}

function parseRoute(name: string, route: string): ParsedRoute {
  const [, method, path = ''] = ROUTE.exec(route) ?? []
  const segments = method === undefined ? undefined : parsePath(path)
  if (segments === undefined) {
    throw invalid(`Action '${name}' has the route '${route}'; write it like POST /orders/{id}/refund.`)
  }
  const parameters = parametersOf(segments)
  if (new Set(parameters).size !== parameters.length) throw invalid(`Action '${name}' names a route parameter twice.`)
  return { method: method as Method, path, segments }
}

const parametersOf = (segments: readonly Segment[]): readonly string[] =>
  segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []))

function checkRoute(
  name: string,
  route: ParsedRoute & { readonly resource: readonly string[]; readonly parameters: z.ZodObject },
): void {
  const inRoute = parametersOf(route.segments)
  const missing = route.resource.find((parameter) => !inRoute.includes(parameter))
  if (missing !== undefined) throw invalid(`Action '${name}' has {${missing}} in its resource, but not in its route.`)
  const { shape } = route.parameters
  const unknown = inRoute.find((parameter) => !route.resource.includes(parameter) && !Object.hasOwn(shape, parameter))
  if (unknown !== undefined)
    throw invalid(`Action '${name}' has {${unknown}} in its route, but neither in its resource nor in its parameters.`)
  for (const [parameter, schema] of Object.entries(shape)) {
    const asText = inRoute.includes(parameter) || inQuery(route.method)
    if (asText && !takesText(schema as z.ZodType)) {
      throw invalid(
        `Action '${name}' sends '${parameter}' as text (${inRoute.includes(parameter) ? 'route' : 'query'}), and its schema takes no text; ` +
          'use decimal({ scale: 0 }) for whole numbers, z.enum for choices, or z.string().',
      )
    }
  }
}

function refuseOverlaps(actions: readonly Action[]): void {
  const routed = actions.flatMap((action) => {
    const segments = action.path === undefined ? undefined : parsePath(action.path)
    return segments === undefined ? [] : [{ action, segments }]
  })
  routed.forEach((one, index) => {
    const other = routed.slice(index + 1).find((candidate) => overlap(one, candidate))
    if (other !== undefined) {
      throw invalid(
        `Actions '${one.action.name}' and '${other.action.name}' match the same requests; make their routes differ.`,
      )
    }
  })
}

interface Routed {
  readonly action: Action
  readonly segments: readonly Segment[]
}

function overlap(one: Routed, other: Routed): boolean {
  if (one.action.method !== other.action.method || one.segments.length !== other.segments.length) return false
  return one.segments.every((segment, index) => {
    const counterpart = other.segments[index]
    if (counterpart === undefined || 'parameter' in segment || 'parameter' in counterpart) return true
    // Many routers ignore case, so paths that differ by case alone are one.
    return segment.literal.toLowerCase() === counterpart.literal.toLowerCase()
  })
}
