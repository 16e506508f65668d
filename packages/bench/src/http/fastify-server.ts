import type { Server } from 'node:http'
import fastifyJwt from '@fastify/jwt'
import { hallpass } from '@hallpass/verifier/fastify'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { bareVerify } from '../baseline/bare-crypto.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'
import type { ServerKind } from './server-kind.ts'
import type { ServerSetup } from './server-setup.ts'

type FastifyKind = Extract<ServerKind, `fastify.${string}`>

/** A Fastify server whose one route is guarded by one of the contenders. */
export async function fastifyServer(kind: FastifyKind, setup: ServerSetup): Promise<Server> {
  const app = fastify()
  await guard(app, kind, setup)
  const config = kind === 'fastify.hallpass' ? { hallpass: 'order.read' } : {}
  app.get<{ Params: { id: string } }>('/orders/:id', { config }, async ({ params }) => ({
    id: params.id,
    status: 'open',
  }))
  await app.ready()
  return app.server
}

async function guard(
  app: FastifyInstance,
  kind: FastifyKind,
  { issuer, verifier, grants }: ServerSetup,
): Promise<void> {
  switch (kind) {
    case 'fastify.open':
      return
    case 'fastify.verify': {
      const work = bareVerify(issuer.key, grants.bound[0]?.token ?? '')
      app.addHook('onRequest', (_request, _reply, done) => {
        void work.run(1)
        done()
      })
      return
    }
    case 'fastify.hallpass':
      await app.register(hallpass, { verifier })
      return
    case 'fastify.jwt-cache': {
      const pem = issuer.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
      await app.register(fastifyJwt, {
        secret: { public: pem },
        verify: { algorithms: ['ES256'], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: true },
      })
      app.addHook('onRequest', async (request) => {
        await request.jwtVerify()
      })
    }
  }
}
