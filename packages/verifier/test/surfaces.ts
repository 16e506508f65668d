import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonValue } from '@hallpass/core'
import express from 'express'
import type { FastifyReply } from 'fastify'
import fastify from 'fastify'
import { Hono } from 'hono'
import { grantOf, requireGrant } from '../src/express.ts'
import { requireGrant as requireHonoGrant } from '../src/hono.ts'
import { grantOf as grantOfFastify, hallpass } from '../src/fastify.ts'
import { protect } from '../src/index.ts'
import type { VerifiedGrant, Verifier } from '../src/index.ts'
import type { orders } from './test-api.ts'

export type OrdersVerifier = Verifier<typeof orders>
export type RoutedAction = 'order.read' | 'order.search' | 'refund.create' | 'item.update'

/** One run of a handler: what it was given. */
export interface Run {
  readonly action: string
  readonly grant: VerifiedGrant | undefined
  readonly body: unknown
}

export interface AppOptions {
  readonly verifier: OrdersVerifier
  /** Called for each run; what it returns is the response's body, what it throws is a handler's failure. */
  readonly handle?: (run: Run) => unknown
  readonly observeOnlyUntil?: Date
  /** Old authentication answers 299. */
  readonly orElse?: boolean
}

export interface Surface {
  readonly name: string
  start(options: AppOptions): Promise<{ port: number; close(): Promise<void> }>
}

const OLD = { status: 299, body: { old: true } }
export const EXPRESS_ROUTES = [
  ['get', '/orders/:id', 'order.read'],
  ['get', '/customers/:customer/orders', 'order.search'],
  ['post', '/orders/:id/refund', 'refund.create'],
  ['patch', '/orders/:id/items/:item', 'item.update'],
] as const

async function listen(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const expressSurface: Surface = {
  name: 'express',
  start({ verifier, handle = () => ({ done: true }), observeOnlyUntil, orElse }) {
    const app = express()
    const options = {
      ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
      ...(orElse === true
        ? { orElse: (_: unknown, res: express.Response) => void res.status(OLD.status).json(OLD.body) }
        : {}),
    }
    for (const [method, path, action] of EXPRESS_ROUTES) {
      app[method](path, requireGrant(verifier, action, options), async (req, res) => {
        const grant = observeOnlyUntil === undefined ? (grantOf(verifier, action, req) as VerifiedGrant) : undefined
        res.json(await handle({ action, grant, body: req.body as unknown }))
      })
    }
    app.use(failed)
    return listen(createServer(app))
  },
}

const fetchSurface: Surface = {
  name: 'fetch',
  start({ verifier, handle = () => ({ done: true }), observeOnlyUntil, orElse }) {
    const options = {
      ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
      ...(orElse === true ? { orElse: () => Response.json(OLD.body, { status: OLD.status }) } : {}),
    }
    const handlers = EXPRESS_ROUTES.map(([method, path, action]) => ({
      method: method.toUpperCase(),
      pattern: new RegExp(`^(?:https?://[^/]*)?${path.replaceAll(/:\w+/g, '[^/?]+')}(?:\\?|$)`, 'i'),
      run: protect(verifier, action, {
        ...options,
        handler: async (_request, call: { grant: VerifiedGrant; body: JsonValue | undefined } | undefined) =>
          Response.json(await handle({ action, grant: call?.grant, body: call?.body })),
      }),
    }))
    return listen(
      createServer((req, res) => {
        const target = req.url ?? '/'
        const method = req.method === 'HEAD' ? 'GET' : req.method
        const handler = handlers.find((candidate) => candidate.method === method && candidate.pattern.test(target))
        void answer(req, res, async (request) => {
          if (handler === undefined) return new Response('not found', { status: 404 })
          return handler.run(request).catch(() => Response.json({ failed: true }, { status: 500 }))
        })
      }),
    )
  },
}

const fastifySurface: Surface = {
  name: 'fastify',
  async start({ verifier, handle = () => ({ done: true }), observeOnlyUntil, orElse }) {
    const app = fastify({ forceCloseConnections: true })
    const options = {
      ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
      ...(orElse === true
        ? { orElse: (_: unknown, reply: FastifyReply) => reply.code(OLD.status).send(OLD.body) }
        : {}),
    }
    await app.register(hallpass, { verifier, everyRouteDeclares: true })
    for (const [method, url, action] of EXPRESS_ROUTES) {
      app[method](url, { config: { hallpass: { action, ...options } } }, async (request) => {
        const grant =
          observeOnlyUntil === undefined ? (grantOfFastify(verifier, action, request) as VerifiedGrant) : undefined
        return handle({ action, grant, body: request.body })
      })
    }
    app.setErrorHandler((error, _request, reply) => {
      const status = (error as { statusCode?: number }).statusCode ?? 500
      void reply.code(status).send({ failed: true })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
  },
}

const honoSurface: Surface = {
  name: 'hono',
  start({ verifier, handle = () => ({ done: true }), observeOnlyUntil, orElse }) {
    const app = new Hono()
    const options = {
      ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
      ...(orElse === true ? { orElse: async () => Response.json(OLD.body, { status: OLD.status }) } : {}),
    }
    for (const [method, path, action] of EXPRESS_ROUTES) {
      app[method](path, requireHonoGrant(verifier, action, options), async (c) => {
        const result = await handle({
          action,
          grant: c.var.grant,
          body: c.var.checkedBody,
        })
        return Response.json(result)
      })
    }
    app.onError(() => Response.json({ failed: true }, { status: 500 }))
    return listen(createServer((req, res) => void answer(req, res, async (request) => app.fetch(request))))
  },
}

// Express knows an error handler by its four parameters.
// eslint-disable-next-line max-params
const failed: express.ErrorRequestHandler = (error: { status?: number }, _req, res, _next) =>
  void res.status(error.status ?? 500).json({ failed: true })

/** As thin as a fetch server on Node can be: repeated fields are joined, the host comes from the request. */
async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  handler: (request: Request) => Promise<Response>,
): Promise<void> {
  const headers = new Headers()
  for (let index = 0; index + 1 < req.rawHeaders.length; index += 2) {
    headers.append(req.rawHeaders[index] ?? '', req.rawHeaders[index + 1] ?? '')
  }
  const chunks: Buffer[] = []
  try {
    for await (const chunk of req) chunks.push(chunk as Buffer)
  } catch {
    return
  }
  const bytes = Buffer.concat(chunks)
  const target = req.url ?? '/'
  const url = target.startsWith('/') ? `http://${req.headers.host}${target}` : target
  const body = bytes.length === 0 ? {} : { body: bytes }
  const request = requestOf(url, { method: req.method ?? 'GET', headers, ...body })
  const response = request === undefined ? new Response(null, { status: 400 }) : await handler(request)
  res.statusCode = response.status
  response.headers.forEach((value, name) => res.setHeader(name, value))
  res.end(Buffer.from(await response.arrayBuffer()))
}

/** Undefined for what no web `Request` can be. */
function requestOf(url: string, init: RequestInit): Request | undefined {
  try {
    return new Request(url, init)
  } catch {
    return undefined
  }
}

export const surfaces: readonly Surface[] = [fetchSurface, expressSurface, fastifySurface, honoSurface]
