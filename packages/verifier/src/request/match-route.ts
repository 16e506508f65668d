import type { RefusalReason, Refused, Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'

const ELSEWHERE: Refused<RefusalReason> = refuse('action-mismatch', "The path is not the action's route")
const UNDECODABLE: Refused<RefusalReason> = refuse('request-malformed', 'The path holds a broken percent-encoding')

/** The segments of a template: `{ name }` for a route parameter, text otherwise. */
export type RouteTemplate = readonly (string | { readonly name: string })[]

/** `/orders/{id}/refund` as segments. */
export const parseTemplate = (path: string): RouteTemplate =>
  path.split('/').map((segment) => {
    const name = segment.startsWith('{') && segment.endsWith('}') ? segment.slice(1, -1) : undefined
    return name === undefined ? segment : { name }
  })

/**
 * Reads an action's route parameters off a path, where no router did. Each segment is decoded exactly once, after the
 * path was split, so that an encoded slash stays inside its segment.
 */
export function matchRoute(template: RouteTemplate, path: string): Result<Record<string, string>, RefusalReason> {
  // Names come from the catalog, never from a request; an object without prototype would be a slow one.
  const found: Record<string, string> = {}
  let start = 0
  for (let index = 0; index < template.length; index++) {
    if (start > path.length) return ELSEWHERE
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const segment = decoded(path.slice(start, end))
    if (segment === undefined) return UNDECODABLE
    const expected = template[index]
    if (typeof expected !== 'object') {
      if (segment !== expected) return ELSEWHERE
    } else {
      found[expected.name] = segment
    }
    start = end + 1
  }
  return start > path.length ? ok(found) : ELSEWHERE
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
