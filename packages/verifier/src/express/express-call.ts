import { HallpassError, ok, refuse } from '@hallpass/core'
import type { Request } from 'express'
import { announcesBody, nodeBodyReader } from '../node-http/read-node-body.ts'
import { rawBodyOf } from '../node-http/raw-bodies.ts'
import type { BodyReader, IncomingCall } from '../request/incoming-call.ts'

/**
 * An Express request as plain data: the URL as the client sent it (`originalUrl`), never as a mount rewrote it.
 * @throws HallpassError `body-consumed` where another parser read the body, `route-mismatch` where it stands
 * in no route, or in one that lacks a parameter of the action's.
 */
export function expressCall(req: Request, routeNames: readonly string[], guard: object): IncomingCall {
  if (!standsInRoute(req, guard)) {
    throw new HallpassError(
      'route-mismatch',
      'requireGrant does not stand in a route, so it would let other paths through; mount it on the route itself',
    )
  }
  const call = { method: req.method, target: req.originalUrl, headers: req.rawHeaders, route: routeOf(req, routeNames) }
  if (!announcesBody(req)) return call
  const raw = rawBodyOf(req)
  if (raw === undefined && (req.readableDidRead || req.body !== undefined)) {
    throw new HallpassError(
      'body-consumed',
      'Another parser read this request before requireGrant, so its raw bytes are gone; use jsonBody() instead of express.json()',
    )
  }
  return { ...call, body: raw === undefined ? nodeBodyReader(req) : keptBody(raw) }
}

/** Tells which of the mounts that are known the request came through. */
export function underMount(call: IncomingCall, mounts: ReadonlySet<string>): IncomingCall {
  for (const mount of mounts) if (call.target.startsWith(`${mount}/`)) return { ...call, mount }
  return call
}

const keptBody =
  (raw: Uint8Array): BodyReader =>
  (limitBytes) =>
    raw.length > limitBytes ? refuse('body-too-large') : ok(raw)

/**
 * Under `app.use` a guard stands before every path below its own, and so before other actions. The route is looked
 * into, since Express leaves on the request the one that was passed through last.
 */
function standsInRoute({ route }: Request, guard: object): boolean {
  const { stack } = (route ?? {}) as { stack?: readonly { readonly handle: object }[] }
  if (stack === undefined) return false
  for (const { handle } of stack) if (handle === guard) return true
  return false
}

function routeOf(req: Request, names: readonly string[]): Readonly<Record<string, string>> {
  const { params } = req
  for (const name of names) {
    if (typeof params[name] !== 'string') {
      throw new HallpassError(
        'route-mismatch',
        `The route has no parameter ${name}, which the action's route names; mount requireGrant on the route itself`,
      )
    }
  }
  return params as Readonly<Record<string, string>>
}
