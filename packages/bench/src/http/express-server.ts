import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { requireGrant } from '@hallpass/verifier/express'
import express from 'express'
import type { RequestHandler } from 'express'
import { expressjwt } from 'express-jwt'
import { auth } from 'express-oauth2-jwt-bearer'
import { bareVerify } from '../baseline/bare-crypto.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'
import type { Work } from '../timing/work.ts'
import type { ServerKind } from './server-kind.ts'
import type { ServerSetup } from './server-setup.ts'

type ExpressKind = Extract<ServerKind, `express.${string}`>

/** An Express server whose one route is guarded by one of the contenders. */
export function expressServer(kind: ExpressKind, setup: ServerSetup): Server {
  const app = express()
  // Peers build `htu` from the request: behind a proxy that ends TLS, as here, they have to believe its headers.
  app.set('trust proxy', true)
  app.get('/orders/:id', guardOf(kind, setup), (req, res) => {
    res.json({ id: req.params['id'], status: 'open' })
  })
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
  app.use(((error: { readonly status?: number }, _req, res, next) => {
    if (res.headersSent) next(error)
    else res.status(error.status ?? 500).json({ error: 'refused' })
  }) satisfies express.ErrorRequestHandler)
  return createServer(app)
}

function guardOf(kind: ExpressKind, { issuer, verifier, grants }: ServerSetup): RequestHandler {
  const publicKey = issuer.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const oauth2 = { issuer: ISSUER, audience: AUDIENCE, publicKey, tokenSigningAlg: 'ES256', strict: true }
  const jwt = { secret: issuer.key.publicKey, issuer: ISSUER, audience: AUDIENCE }
  const guards: Record<ExpressKind, () => RequestHandler> = {
    'express.open': () => (_req, _res, next) => next(),
    'express.verify': () => afterVerify(bareVerify(issuer.key, grants.bound[0]?.token ?? '')),
    'express.hallpass': () => requireGrant(verifier, 'order.read') as RequestHandler,
    'express.express-jwt': () => expressjwt({ ...jwt, algorithms: ['ES256'] }) as RequestHandler,
    'express.oauth2': () => auth({ ...oauth2, dpop: { enabled: false } }),
    'express.oauth2-dpop': () => auth({ ...oauth2, dpop: { enabled: true, required: true } }),
  }
  return guards[kind]()
}

const afterVerify =
  (work: Work): RequestHandler =>
  (_req, _res, next) => {
    void work.run(1)
    next()
  }
