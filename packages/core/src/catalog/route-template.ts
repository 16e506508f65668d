import type { Action, Method } from './api.ts'

/** One segment of a route: fixed text, or one parameter. */
export type Segment = { readonly literal: string } | { readonly parameter: string }

/** A resource template cut at its parameters: `order:{id}` is `['order:', '']` around `['id']`. */
export interface ResourceTemplate {
  readonly kind: string
  readonly literals: readonly string[]
  readonly parameters: readonly string[]
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*'
const PARAMETER = new RegExp(`^\\{(${NAME})\\}$`)
const LITERAL = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/
const KIND = /^[a-z][a-z0-9_.-]*$/
const RESOURCE_PARTS = new RegExp(`\\{(${NAME})\\}`)
const RESOURCE_LITERAL = /^[A-Za-z0-9_.:~-]*$/

/** Segments of `/orders/{id}/refund`; undefined where it does not follow the syntax. */
export function parsePath(path: string): readonly Segment[] | undefined {
  if (path === '/') return []
  if (!path.startsWith('/')) return undefined
  const segments: Segment[] = []
  for (const part of path.slice(1).split('/')) {
    const parameter = PARAMETER.exec(part)?.[1]
    if (parameter !== undefined) segments.push({ parameter })
    else if (LITERAL.test(part)) segments.push({ literal: part })
    else return undefined
  }
  return segments
}

/**
 * Parts of `order:{id}`, or of a constant such as `orders:all`; undefined where kind, parameters or the text between
 * them do not follow the syntax.
 */
export function parseResource(template: string): ResourceTemplate | undefined {
  const colon = template.indexOf(':')
  const kind = template.slice(0, Math.max(colon, 0))
  if (!KIND.test(kind)) return undefined
  const pieces = template.split(RESOURCE_PARTS)
  const literals = pieces.filter((_, index) => index % 2 === 0)
  const parameters = pieces.filter((_, index) => index % 2 === 1)
  if (!literals.every((literal) => RESOURCE_LITERAL.test(literal))) return undefined
  if (colon === template.length - 1) return undefined
  if (new Set(parameters).size !== parameters.length) return undefined
  // Two parameters with nothing between them would make `ab` + `c` and `a` + `bc` one resource.
  if (literals.slice(1, -1).includes('')) return undefined
  return { kind, literals, parameters }
}

/** An action's templates, parsed once. */
export interface CompiledAction {
  readonly resource: ResourceTemplate
  readonly segments: readonly Segment[] | undefined
  /** Route parameters that are not part of the resource: they are parameters. */
  readonly carried: readonly string[]
  /** Text between two resource parameters, which no value may contain. */
  readonly separators: readonly string[]
}

const compiled = new WeakMap<Action, CompiledAction>()

/** Parses an action's templates once; `defineApi` made sure that they parse. */
export function compileAction(action: Action): CompiledAction {
  const known = compiled.get(action)
  if (known !== undefined) return known
  const resource = parseResource(action.resource) ?? { kind: action.kind, literals: [action.resource], parameters: [] }
  const segments = action.path === undefined ? undefined : parsePath(action.path)
  const carried = (segments ?? []).flatMap((segment) =>
    'parameter' in segment && !resource.parameters.includes(segment.parameter) ? [segment.parameter] : [],
  )
  const made = { resource, segments, carried, separators: resource.literals.slice(1, -1) }
  compiled.set(action, made)
  return made
}

/** Methods whose parameters travel in the query. */
export const inQuery = (method: Method | undefined): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'DELETE'
