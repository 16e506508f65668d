import type { AddressInfo } from 'node:net'
import { expressServer } from './express-server.ts'
import { fastifyServer } from './fastify-server.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { SERVER_KINDS } from './server-kind.ts'
import type { Listening, ServerKind } from './server-kind.ts'
import { setUp } from './server-setup.ts'

/** Runs one server until the process that started it is gone. */
export async function serve(name: string | undefined): Promise<void> {
  const kind = SERVER_KINDS.find((known) => known === name)
  if (kind === undefined || process.send === undefined) throw new Error('A bench server is started by the bench.')
  const setup = setUp()
  const server = isExpress(kind) ? expressServer(kind, setup) : await fastifyServer(kind, setup)
  // The load comes back after every other contender had its turn.
  server.keepAliveTimeout = 0
  process.once('disconnect', () => process.exit(0))
  const loopDelay = watchLoopDelay()
  // Whatever is asked is that.
  process.on('message', () => process.send?.(loopDelay()))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ port, grants: setup.grants } satisfies Listening)
  })
}

const isExpress = (kind: ServerKind): kind is Extract<ServerKind, `express.${string}`> => kind.startsWith('express.')
