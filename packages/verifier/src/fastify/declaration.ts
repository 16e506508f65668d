import type { Action } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { isFixedPath } from '../door/fixed-path.ts'

/** The route's old authentication: answers, or returns to let the request on to the handler. */
export type OldAuthentication = (request: FastifyRequest, reply: FastifyReply) => unknown

/** What a route says about itself in `config.hallpass`. */
export type HallpassDeclaration =
  | string
  | false
  | {
      readonly action: string
      /** Gets requests without any Hallpass credential, on record. Never a bad one. */
      readonly orElse?: OldAuthentication
      /** Until then refusals are recorded and change no answer. At most 90 days ahead. */
      readonly observeOnlyUntil?: Date
    }

/** A guarded route, or undefined for one that says it is public. */
export interface DeclaredRoute {
  readonly action: string
  readonly orElse?: OldAuthentication
  readonly observeOnlyUntil?: Date
}

/** Reads a route's declaration: undefined where it says nothing, `false` where it says that it is public. */
export function readDeclaration(route: RouteOptions): DeclaredRoute | false | undefined {
  const declared = route.config?.hallpass
  if (declared === undefined || declared === false) return declared
  if (typeof declared === 'string') return { action: declared }
  if (typeof declared === 'object' && declared !== null && typeof declared.action === 'string') return { ...declared }
  throw mismatch(route, 'config.hallpass is the name of an action, false, or an object with an action')
}

/**
 * Checks a route against the action it declares. A plugin's prefix may stand before the action's own path, as long as it
 * is fixed: what a parameter in it says would be part of no resource.
 * The HEAD route that Fastify adds to each GET route passes: requests to it are refused as a method of their own.
 * @returns the prefix; none where it is already in the verifier's public URL.
 * @throws HallpassError `route-mismatch`.
 */
export function checkDeclaredRoute(route: RouteOptions, action: Action): string {
  if ((route as { websocket?: unknown }).websocket === true)
    throw mismatch(route, 'a WebSocket outlives the grant it was opened with; guard the requests that do the work')
  if (action.path === undefined) throw mismatch(route, `${action.name} has no route; protect it with guard()`)
  const methods = [route.method].flat().map((method) => method.toUpperCase())
  const isOwn = methods.every((method) => method === action.method || (method === 'HEAD' && action.method === 'GET'))
  const expected = action.path.replaceAll(/\{([^{}]+)\}/g, ':$1')
  if (isOwn && route.url.endsWith(expected)) {
    const prefix = route.url.slice(0, route.url.length - expected.length)
    if (isFixedPath(prefix)) return prefix
    throw mismatch(route, `the prefix ${prefix} has parameters that ${action.name} does not name`)
  }
  throw mismatch(route, `${action.name} is declared as ${action.method} ${action.path}`)
}

export const mismatch = (route: RouteOptions, what: string) =>
  new HallpassError('route-mismatch', `Route ${[route.method].flat().join(',')} ${route.url}: ${what}`)
