import { isWellFormed } from '../json/well-formed.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import type { Action } from './api.ts'
import { compileAction } from './route-template.ts'
import type { CompiledAction } from './route-template.ts'

const MAX_RESOURCE = 512
/** Slash, backslash, percent, asterisk, controls, line separators, and format characters that hide in print. */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[/\\%*\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/
// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/

/** Whether a value may stand for one part of a resource, and so for one path segment. */
function isPart(value: unknown, separators: readonly string[]): value is string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_RESOURCE) return false
  if (value === '.' || value.includes('..') || UNSAFE.test(value) || !isWellFormed(value)) return false
  if (!ASCII.test(value) && value.normalize('NFC') !== value) return false
  return !separators.some((separator) => value.includes(separator))
}

/**
 * The resource a request is about, from its route parameters, which were decoded exactly once.
 *
 * Refuses empty values, slashes, dot segments, asterisks, control characters, leftovers of percent-encoding, and values
 * that hold the text between two parameters of the template: no two sets of values give one resource. Text that is not
 * in normalization form C is refused too, since a store may take both spellings of `é` for one.
 */
export function resourceFrom(
  action: Action,
  routeParameters: Readonly<Record<string, string>>,
): Result<string, RefusalReason> {
  const { resource, separators } = compileAction(action)
  let text = resource.literals[0] ?? ''
  for (const [index, name] of resource.parameters.entries()) {
    const value = Object.hasOwn(routeParameters, name) ? routeParameters[name] : undefined
    if (!isPart(value, separators)) return refuse('request-malformed', 'a route parameter cannot name a resource')
    text += value + (resource.literals[index + 1] ?? '')
  }
  return text.length > MAX_RESOURCE ? refuse('request-malformed', 'the resource is too long') : ok(text)
}

/** The inverse of `resourceFrom`: the route parameters a resource stands for. */
export function partsOfResource(action: Action, resource: string): Result<Record<string, string>, RefusalReason> {
  const parts = cut(compileAction(action), resource)
  const again = resourceFrom(action, parts)
  return again.ok && again.value === resource
    ? ok(parts)
    : refuse('resource-mismatch', 'the resource does not fit the action')
}

/** Whatever this cuts counts only where it gives the same text when it is joined again. */
function cut({ resource }: CompiledAction, text: string): Record<string, string> {
  const parts: Record<string, string> = {}
  let at = (resource.literals[0] ?? '').length
  for (const [index, name] of resource.parameters.entries()) {
    const literal = resource.literals[index + 1] ?? ''
    const isLast = index === resource.parameters.length - 1
    const end = isLast ? text.length - literal.length : text.indexOf(literal, at)
    parts[name] = text.slice(at, end)
    at = end + literal.length
  }
  return parts
}

/** Whether a granted identifier, exact or a class `kind:*`, stands for this resource. */
export function matchResource(pattern: string, resource: string): boolean {
  if (!pattern.endsWith(':*')) return pattern === resource && !resource.includes('*')
  const kind = pattern.slice(0, -1)
  return (
    kind.indexOf(':') === kind.length - 1 &&
    kind.length > 1 &&
    resource.length > kind.length &&
    resource.startsWith(kind) &&
    !resource.includes('*')
  )
}
