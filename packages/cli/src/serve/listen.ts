import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Failure } from '../command/failure.ts'

export interface Listening {
  readonly host: string
  readonly port: number
  /** Takes no new request, lets the running ones finish, at most this long. */
  stop(graceMs: number): Promise<void>
}

interface Address {
  readonly host: string
  readonly port: number
}

function notListening({ host, port }: Address, error: NodeJS.ErrnoException): Failure {
  if (error.code === 'EADDRINUSE') {
    return new Failure(`Port ${port} of ${host} is in use: stop what listens there, or change the port with --port`)
  }
  return new Failure(`Cannot listen on ${host}, port ${port}: the system answered ${error.code ?? 'an error'}`)
}

/** Serves a fetch handler over HTTP. */
export async function listen(handler: (request: Request) => Promise<Response>, address: Address): Promise<Listening> {
  const { host, port } = address
  const server = serve({ fetch: handler, hostname: host, port })
  const running = new Set<ServerResponse>()
  let isStopping = false
  // A connection that is kept alive would bring another request, and never be idle when it is looked at.
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (isStopping) response.setHeader('connection', 'close')
    running.add(response)
    response.once('close', () => running.delete(response))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (error: NodeJS.ErrnoException) => reject(notListening(address, error)))
  })
  return {
    host,
    port: (server.address() as AddressInfo).port,
    async stop(graceMs) {
      isStopping = true
      for (const response of running) if (!response.headersSent) response.setHeader('connection', 'close')
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if ('closeIdleConnections' in server) server.closeIdleConnections()
      const late = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
      }, graceMs)
      await closed
      clearTimeout(late)
    },
  }
}
