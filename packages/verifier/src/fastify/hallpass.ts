import type { ActionName, Api } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { joined } from '../body/read-limited.ts'
import { grantOn } from '../door/granted.ts'
import type { GrantOf, Verifier } from '../verifier.ts'
import { checkDeclaredRoute, mismatch, readDeclaration } from './declaration.ts'
import type { KnownRoute } from './every-route.ts'
import { everyRoute, markGuarded } from './every-route.ts'
import { STAGE, guardRoute, readsOwnBody } from './guard-route.ts'

export interface HallpassPluginOptions {
  readonly verifier: Verifier
  /**
   * Refuses to boot where a route says neither which action it is nor that it is public (`config: { hallpass: false }`),
   * and where an action of the catalog has no route.
   */
  readonly everyRouteDeclares?: boolean
}

const JSON_TYPES = /^application\/(?:json|[\w!#$&^.+-]+\+json)(?:;|$)/i

/**
 * Guards the routes that say so: `config: { hallpass: 'refund.create' }`.
 *
 * Register it before the routes. The guard reads JSON bodies of guarded routes itself, raw; public routes are parsed as
 * Fastify does. `request.body` is the object that was checked.
 * @throws HallpassError `route-mismatch` while booting, where a route does not fit the action it declares, or declares one
 * where no plugin sees it.
 */
const plugin: FastifyPluginCallback<HallpassPluginOptions> = (fastify, options, done) => {
  const verifier: Verifier = options.verifier
  const everyRouteDeclares = options.everyRouteDeclares === true
  const routed = new Set<string>()
  const seen: { readonly route: RouteOptions; readonly hadSchema: boolean }[] = []
  if (!fastify.hasRequestDecorator(STAGE)) fastify.decorateRequest(STAGE)
  leaveGuardedBodiesUnread(fastify)

  fastify.addHook('onRoute', (route: RouteOptions) => {
    const declared = readDeclaration(route)
    if (declared === undefined) {
      if (everyRouteDeclares)
        throw mismatch(route, 'declare config.hallpass: the name of its action, or false for a public route')
      return
    }
    if (declared === false) return
    const { action, orElse, observeOnlyUntil } = declared
    const guarded = verifier.forAction(action, {
      orElse: orElse !== undefined,
      ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
    })
    const mount = checkDeclaredRoute(route, guarded.action)
    routed.add(action)
    markGuarded(route)
    seen.push({ route, hadSchema: hasSchema(route) })
    const hooks = guardRoute({ verifier, declared, guarded, mount, hasSchema: hasSchema(route) })
    for (const name of ['onRequest', 'preValidation', 'preHandler'] as const) {
      const [guard, own] = [hooks[name], route[name]]
      if (guard !== undefined) route[name] = [guard, ...(own === undefined ? [] : [own].flat())]
    }
  })

  fastify.addHook('onReady', (ready) => {
    const routes = everyRoute(fastify)
    if (routes === undefined) {
      ready(
        new HallpassError('route-mismatch', 'This Fastify does not tell its routes, so one without a guard could hide'),
      )
      return
    }
    const problem =
      routes.map((route) => problemOf(route, everyRouteDeclares)).find((found) => found !== undefined) ??
      seen.map(lateSchema).find((found) => found !== undefined) ??
      (everyRouteDeclares ? unrouted(verifier, routed) : undefined)
    ready(problem)
  })
  done()
}

export const hallpass: FastifyPluginCallback<HallpassPluginOptions> = fp(plugin, {
  name: '@hallpass/verifier',
  fastify: '5.x',
})

/**
 * The grant of a request that its route's guard let through, with the parameters of its action typed.
 * @throws HallpassError `guard-missing` where no guard of this verifier let it through for this action.
 */
export const grantOf = <A extends Api, N extends ActionName<A>>(
  verifier: Verifier<A>,
  action: N,
  request: FastifyRequest,
): GrantOf<A, N> => grantOn(request, verifier, action) as GrantOf<A, N>

/** What is wrong with a route that no plugin of ours saw: it came before the plugin, or stands outside its scope. */
function problemOf(
  { method, url, isGuarded, declared }: KnownRoute,
  everyRouteDeclares: boolean,
): HallpassError | undefined {
  if (isGuarded || declared === false || (declared === undefined && !everyRouteDeclares)) return undefined
  const what =
    declared === undefined
      ? 'declare config.hallpass: the name of its action, or false for a public route'
      : 'its config.hallpass is read by no plugin; register hallpass before it, in the same scope or one around it'
  return new HallpassError('route-mismatch', `Route ${method} ${url}: ${what}`)
}

const lateSchema = ({ route, hadSchema }: { readonly route: RouteOptions; readonly hadSchema: boolean }) =>
  hasSchema(route) === hadSchema
    ? undefined
    : mismatch(route, 'a hook changed its schema after hallpass had seen it; register that plugin before hallpass')

function unrouted({ api, audience }: Verifier, routed: ReadonlySet<string>): HallpassError | undefined {
  const names = Object.values(api.actions)
    .filter(({ name, path }) => path !== undefined && !routed.has(name))
    .map(({ name }) => name)
  if (names.length === 0) return undefined
  return new HallpassError(
    'route-mismatch',
    `The catalog of ${audience} has actions without a route: ${names.join(', ')}`,
  )
}

const INPUTS = ['body', 'params', 'querystring', 'query']

const hasSchema = ({ schema }: RouteOptions): boolean =>
  typeof schema === 'object' && schema !== null && INPUTS.some((name) => name in schema)

/** JSON bodies of guarded requests stay on the wire until the guard reads them; the rest is parsed as Fastify does. */
function leaveGuardedBodiesUnread(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error')
  fastify.removeContentTypeParser('application/json')
  fastify.addContentTypeParser(JSON_TYPES, (request, payload, done) => {
    if (readsOwnBody(request)) {
      done(null, undefined)
      return
    }
    const limit = request.routeOptions.bodyLimit
    const chunks: Uint8Array[] = []
    let size = 0
    const keep = (chunk: Uint8Array) => {
      size += chunk.length
      if (size <= limit) {
        chunks.push(chunk)
        return
      }
      payload.off('data', keep).off('end', parse)
      done(Object.assign(new Error('Request body is too large'), { statusCode: 413 }))
    }
    const parse = () => void parseJson(request, new TextDecoder().decode(joined(chunks, size)), done)
    payload.on('data', keep).on('end', parse).on('error', done)
  })
}
