import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { protect, type VerifiedGrant, type Verifier } from '@hallpass/verifier'
import { grantOf, requireGrant } from '@hallpass/verifier/express'
import { grantOf as grantOfFastify, hallpass } from '@hallpass/verifier/fastify'
import { requireGrant as requireHonoGrant } from '@hallpass/verifier/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { orders } from './api.ts'

export type DoorName = 'fetch' | 'express' | 'fastify' | 'hono'
export type OrdersVerifier = Verifier<typeof orders>

export interface Run {
  readonly action: string
  /** Absent where a rollout let the request through. */
  readonly grant: VerifiedGrant | undefined
  readonly body: unknown
}

export interface AppOptions {
  readonly verifier: OrdersVerifier
  readonly handle: (run: Run) => unknown
  readonly observeOnlyUntil?: Date
  /** The old authentication, which answers 299. */
  readonly orElse?: true
}

export interface Served {
  readonly port: number
  close(): Promise<void>
}

const ROUTES = [
  ['get', '/orders/:id', 'order.read'],
  ['get', '/customers/:customer/orders', 'order.search'],
  ['post', '/orders/:id/refund', 'refund.create'],
  ['patch', '/orders/:id/items/:item', 'item.update'],
] as const

const OLD_STATUS = 299
const OLD_BODY = { old: true }

async function listen(listener: (...call: Parameters<RequestListener>) => unknown): Promise<Served> {
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const until = ({ observeOnlyUntil }: AppOptions) => (observeOnlyUntil === undefined ? {} : { observeOnlyUntil })

const serveFetch = (options: AppOptions): Promise<Served> => {
  const handlers = ROUTES.map(([method, path, action]) => ({
    method: method.toUpperCase(),
    pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
    run: protect(options.verifier, action, {
      ...until(options),
      ...(options.orElse && { orElse: () => Response.json(OLD_BODY, { status: OLD_STATUS }) }),
      handler: async (_request, call) =>
        Response.json(await options.handle({ action, grant: call?.grant, body: call?.body })),
    }),
  }))
  const route = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const found = handlers.find(({ method, pattern }) => method === request.method && pattern.test(pathname))
    if (found === undefined) return new Response('not found', { status: 404 })
    return found.run(request).catch(() => Response.json({ failed: true }, { status: 500 }))
  }
  return listen(getRequestListener(route, { overrideGlobalObjects: false }))
}

const serveExpress = (options: AppOptions): Promise<Served> => {
  const app = express()
  const old = { orElse: (_: unknown, res: express.Response) => void res.status(OLD_STATUS).json(OLD_BODY) }
  for (const [method, path, action] of ROUTES) {
    const guard = requireGrant(options.verifier, action, { ...until(options), ...(options.orElse && old) })
    app[method](path, guard, async (req, res) => {
      const grant = options.observeOnlyUntil === undefined ? grantOf(options.verifier, action, req) : undefined
      res.json(await options.handle({ action, grant, body: req.body as unknown }))
    })
  }
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line max-params
  const failed: express.ErrorRequestHandler = (error: { status?: number }, _req, res, _next) =>
    void res.status(error.status ?? 500).json({ failed: true })
  app.use(failed)
  return listen(app)
}

const serveFastify = async (options: AppOptions): Promise<Served> => {
  const app = fastify({ forceCloseConnections: true })
  await app.register(hallpass, { verifier: options.verifier, everyRouteDeclares: true })
  for (const [method, url, action] of ROUTES) {
    const declared = {
      action,
      ...until(options),
      ...(options.orElse && {
        orElse: (_: unknown, reply: { code(n: number): { send(b: unknown): unknown } }) =>
          reply.code(OLD_STATUS).send(OLD_BODY),
      }),
    }
    app[method](url, { config: { hallpass: declared } }, async (request) => {
      const grant =
        options.observeOnlyUntil === undefined ? grantOfFastify(options.verifier, action, request) : undefined
      return options.handle({ action, grant, body: request.body })
    })
  }
  app.setErrorHandler((error, _request, reply) => {
    void reply.code((error as { statusCode?: number }).statusCode ?? 500).send({ failed: true })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

const serveHono = (options: AppOptions): Promise<Served> => {
  const app = new Hono()
  const old = { orElse: async () => Response.json(OLD_BODY, { status: OLD_STATUS }) }
  for (const [method, path, action] of ROUTES) {
    const guard = requireHonoGrant(options.verifier, action, { ...until(options), ...(options.orElse && old) })
    app[method](path, guard, async (c) =>
      Response.json(await options.handle({ action, grant: c.var.grant, body: c.var.checkedBody })),
    )
  }
  app.onError(() => Response.json({ failed: true }, { status: 500 }))
  return listen(getRequestListener((request) => app.fetch(request), { overrideGlobalObjects: false }))
}

/** The same API behind each way to mount the verifier, as a real server on loopback. */
export const doors: Readonly<Record<DoorName, (options: AppOptions) => Promise<Served>>> = {
  fetch: serveFetch,
  express: serveExpress,
  fastify: serveFastify,
  hono: serveHono,
}
