import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Desk, TokenRequest } from './desk.ts'

/** A broker on loopback, and the connections of an agent that stay open. */
export interface DeskServer {
  /** The grant that was answered over HTTP, or undefined where it was refused. */
  ask(wanted: TokenRequest): Promise<string | undefined>
  close(): void
}

/** Puts a desk behind `POST /token`, as `hallpass serve` does. */
export async function serveDesk({ broker }: Desk, connections: number): Promise<DeskServer> {
  const listener = getRequestListener((incoming) => broker.fetch(incoming))
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    async ask({ parameters, proof }) {
      const body = new URLSearchParams(parameters).toString()
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
        dpop: proof,
      }
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { agent, port, host: '127.0.0.1', method: 'POST', path: '/token', headers }
        request(options, resolve).once('error', reject).end(body)
      })
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      if (answer.statusCode !== 200) return undefined
      return (JSON.parse(Buffer.concat(chunks).toString()) as { access_token?: string }).access_token
    },
    close() {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}
