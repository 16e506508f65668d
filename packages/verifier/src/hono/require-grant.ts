import type { ActionName, Api, JsonValue } from '@hallpass/core'
import { HallpassError, ok, refuse } from '@hallpass/core'
import type { Context, MiddlewareHandler } from 'hono'
import { isFixedPath } from '../door/fixed-path.ts'
import { grantFor, keepGrant } from '../door/granted.ts'
import type { VerifiedGrant } from '../grant/verified-grant.ts'
import type { BodyReader, IncomingCall } from '../request/incoming-call.ts'
import type { GrantOf, Verifier } from '../verifier.ts'
import { finishResponse } from '../web/finish-response.ts'
import { webCall, webResponse } from '../web/web-call.ts'

export interface RequireGrantOptions {
  /** The route's old authentication: gets requests without any Hallpass credential, on record. Never a bad one. */
  readonly orElse?: MiddlewareHandler
  /** Until then refusals are recorded and change no answer, and there is no grant; from then on they refuse. */
  readonly observeOnlyUntil?: Date
}

/** What a guarded handler finds in `c.var`. */
export interface GrantVariables<G = VerifiedGrant> {
  readonly grant: G
  /** The body that was checked; undefined where there was none. */
  readonly checkedBody: JsonValue | undefined
}

/**
 * Guards one Hono route for one action: `app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), handler)`.
 * Sets `c.var.grant`, typed, and `c.var.checkedBody`.
 */
export function requireGrant<A extends Api, N extends ActionName<A>>(
  verifier: Verifier<A>,
  action: N,
  options: RequireGrantOptions = {},
): MiddlewareHandler<{ Variables: GrantVariables<GrantOf<A, N>> }> {
  const { orElse, observeOnlyUntil } = options
  const guarded = verifier.forAction(action, {
    orElse: orElse !== undefined,
    ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
  })
  const path = guarded.action.path ?? ''
  const names = [...path.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? '')
  const pattern = path.replaceAll(/\{([^{}]+)\}/g, ':$1')

  return async function requireGrantHandler(c, next) {
    const verdict = await guarded.verify(honoCall(c, { names, pattern }))
    switch (verdict.kind) {
      case 'refused':
      case 'repeated':
        return webResponse(verdict.answer())
      case 'passed':
        return verdict.by === 'or-else' && orElse !== undefined ? ((await orElse(c, next)) ?? undefined) : next()
      case 'admitted':
        break
    }
    keepGrant(c.req.raw, { verifier, action, grant: verdict.grant })
    c.set('grant', verdict.grant)
    c.set('checkedBody', verdict.body)
    try {
      await next()
    } catch (error) {
      await verdict.settle({ status: 500 })
      throw error
    }
    c.res = finishResponse(verdict, c.res)
    return undefined
  }
}

/**
 * The grant that `requireGrant` put there, for handlers that lost its type on the way.
 * @throws HallpassError `guard-missing` where no guard of this verifier let the request through for this action.
 */
export const grantOf = <A extends Api, N extends ActionName<A>>(
  verifier: Verifier<A>,
  action: N,
  c: Context,
): GrantOf<A, N> => grantFor(c.req.raw, verifier, action) as GrantOf<A, N>

function honoCall(c: Context, { names, pattern }: ActionRoute): IncomingCall {
  // The helper of `hono/route` that replaces this came with 4.8.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const { routePath } = c.req
  if (routePath.split('/').includes('*')) {
    throw new HallpassError(
      'route-mismatch',
      'requireGrant stands before every path of a pattern, and so before other actions; mount it on the route itself',
    )
  }
  const route = c.req.param() as Readonly<Record<string, string>>
  for (const name of names) {
    if (typeof route[name] !== 'string') {
      throw new HallpassError(
        'route-mismatch',
        `The route has no parameter ${name}; mount requireGrant on the route itself`,
      )
    }
  }
  const call = { ...webCall(c.req.raw, route), mount: mountOf(routePath, pattern) }
  if (call.body === undefined) return call
  // What another reader made of the bytes is not what was sent.
  if (Object.keys(c.req.bodyCache).some((form) => form !== 'arrayBuffer')) {
    throw new HallpassError(
      'body-consumed',
      'Another middleware read this request before requireGrant, so its raw bytes are gone; mount it behind the guard',
    )
  }
  return { ...call, body: cachedBody(c, call.body) }
}

interface ActionRoute {
  /** Route parameters of the action. */
  readonly names: readonly string[]
  /** The action's path as Hono writes it. */
  readonly pattern: string
}

/** What `basePath` and `route` put before the action's own path. A pattern there is no mount, and nothing passes. */
function mountOf(routePath: string, pattern: string): string {
  const mount = routePath.endsWith(pattern) ? routePath.slice(0, routePath.length - pattern.length) : ''
  return isFixedPath(mount) ? mount : ''
}

/** Reads the raw body once and leaves it where Hono looks, so that a handler may still ask for it: the same bytes. */
const cachedBody =
  (c: Context, readRaw: BodyReader): BodyReader =>
  async (limitBytes, timeoutMs) => {
    const { bodyCache } = c.req
    if (Object.keys(bodyCache).length > 0) {
      const bytes = new Uint8Array(await c.req.arrayBuffer())
      return bytes.length > limitBytes ? refuse('body-too-large') : ok(bytes.length === 0 ? undefined : bytes)
    }
    const raw = await readRaw(limitBytes, timeoutMs)
    if (!raw.ok) return raw
    const bytes = raw.value ?? new Uint8Array()
    // Hono's own reads leave promises here, whatever the type says.
    const copy = Promise.resolve(Uint8Array.from(bytes).buffer)
    bodyCache.arrayBuffer = copy as unknown as ArrayBuffer
    return raw
  }
