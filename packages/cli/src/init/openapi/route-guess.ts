import type { Risk } from '@hallpass/core'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/
const KIND = /^[a-z][a-z0-9_.-]*$/
const ACTION = /^[A-Za-z][A-Za-z0-9._:-]{0,127}$/

export interface RouteGuess {
  /** With parameter names that Hallpass takes. */
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly original: string }[]
  readonly resource: string
  readonly kind: string
  readonly notes: readonly string[]
}

/** `orders` -> `order`, `companies` -> `company`, `addresses` -> `address`. Good enough to be looked at. */
export function singular(word: string): string {
  if (/ies$/i.test(word) && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(ss|us|is)$/i.test(word)) return word
  if (/(sses|shes|ches|xes|zes)$/i.test(word)) return word.slice(0, -2)
  return /s$/i.test(word) && word.length > 2 ? word.slice(0, -1) : word
}

const kindOf = (segment: string): string => {
  const words = singular(segment)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
  const kind = words.replaceAll(/[^a-z0-9_.-]/g, '-').replace(/^[^a-z]+/, '')
  return kind === '' ? 'resource' : kind
}

const parameterOf = (segment: string): string | undefined => /^\{([^{}]+)\}$/.exec(segment)?.[1]

function parameterName(original: string): string {
  const name = original.replaceAll(/[^A-Za-z0-9_]/g, '_')
  return NAME.test(name) ? name : `_${name}`
}

/** What a path is about: every parameter of it names the resource, or its last word does. A reason in words when neither. */
export function guessRoute(path: string): RouteGuess | string {
  const segments = path.replace(/^\//, '').replace(/\/$/, '').split('/')
  const parameters = segments.flatMap((segment) => {
    const original = parameterOf(segment)
    return original === undefined ? [] : [{ name: parameterName(original), original }]
  })
  if (segments.length === 1 && segments[0] === '') return 'its path names no resource'
  const odd = segments.find((segment) => parameterOf(segment) === undefined && !SEGMENT.test(segment))
  if (odd !== undefined) return `its path has the segment ${JSON.stringify(odd)}`
  if (new Set(parameters.map(({ name }) => name)).size !== parameters.length)
    return 'its path has two parameters of one name'
  if (parameters.length === 0) return constantOf(segments)
  const last = segments.findLastIndex((segment) => parameterOf(segment) !== undefined)
  const before = segments.slice(0, last).findLast((segment) => parameterOf(segment) === undefined)
  const kind = kindOf(before ?? 'resource')
  const renamed = parameters.filter(({ name, original }) => name !== original)
  return {
    path: `/${segments.map((segment) => (parameterOf(segment) === undefined ? segment : `{${parameterName(parameterOf(segment) ?? '')}}`)).join('/')}`,
    parameters,
    kind,
    resource: `${kind}:${parameters.map(({ name }) => `{${name}}`).join(':')}`,
    notes: [
      ...renamed.map(({ name, original }) => `the path parameter ${JSON.stringify(original)} is called ${name} here`),
      ...(parameters.length > 1 ? ['the resource is made of all path parameters; keep those that name it'] : []),
      ...(before === undefined ? ['the kind of resource could not be guessed'] : []),
    ],
  }
}

/** `/orders` is about all orders: a constant, of a kind that no single order has. */
function constantOf(segments: readonly string[]): RouteGuess | string {
  const kind = segments.at(-1)?.toLowerCase() ?? ''
  if (!KIND.test(kind)) return 'its path names no resource'
  return {
    path: `/${segments.join('/')}`,
    parameters: [],
    kind,
    resource: `${kind}:all`,
    notes: kind === kindOf(kind) ? [`keep the kind ${kind} for this resource alone`] : [],
  }
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'read',
  HEAD: 'check',
  POST: 'create',
  PUT: 'replace',
  PATCH: 'update',
  DELETE: 'delete',
}

/** A name for an operation without one: `refund.create` for `POST /orders/{id}/refund`. */
export function guessName(method: string, { path, kind }: RouteGuess): string {
  const last = path.split('/').at(-1) ?? ''
  const subject = last.startsWith('{') ? kind : kindOf(last)
  return `${subject}.${VERBS[method] ?? method.toLowerCase()}`
}

/** The operation's own name, made to fit. */
export function nameFrom(operationId: string | undefined): string | undefined {
  if (operationId === undefined) return undefined
  const name = operationId.replaceAll(/[^A-Za-z0-9._:-]/g, '.').replace(/^[^A-Za-z]+/, '')
  return ACTION.test(name) ? name : undefined
}

/** Reads are safe methods, deletions are critical, the rest writes. */
export const riskOf = (method: string): Risk =>
  method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'critical' : 'write'

/** Whether a router could take a request for either. */
export function overlaps(one: string, other: string): boolean {
  const [left, right] = [one.split('/'), other.split('/')]
  if (left.length !== right.length) return false
  return left.every((segment, n) => {
    const counterpart = right[n] ?? ''
    return segment.startsWith('{') || counterpart.startsWith('{') || segment.toLowerCase() === counterpart.toLowerCase()
  })
}
