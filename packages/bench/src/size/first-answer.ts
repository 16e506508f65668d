import { createServer, get } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import { requireGrant } from '@hallpass/verifier/express'
import express from 'express'
import { dpopCall, PATH } from '../world/agent-call.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { guardOrders } from '../world/guarded-orders.ts'
import { createPresenter } from '../world/presenter.ts'

/**
 * Starts a guarded Express server, sends it one honest request with a grant, and resolves with its status. Making the
 * key and the grant is part of it, and small beside the rest.
 */
export async function firstAnswer(): Promise<number> {
  const issuer = createBenchIssuer()
  const presenter = createPresenter(issuer, 1)
  const trail = { ...memoryTrail(), count: 0, chain() {} }
  const orders = guardOrders(issuer, trail)
  const { grant, holder } = presenter.hold()
  orders.register([grant])
  const app = express()
  app.get(
    '/orders/:id',
    requireGrant(orders.verifier, 'order.read'),
    (req, res) => void res.json({ id: req.params.id }),
  )
  if (holder === undefined) throw new Error('The grant of this row is bound.')
  const { headers } = dpopCall(grant.token, holder)
  return statusOf(createServer(app), headers as readonly string[])
}

function statusOf(server: Server, headers: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const fields = Object.fromEntries(
        headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : [])),
      )
      get({ port, path: PATH, headers: { ...fields, connection: 'close' } }, (response) => {
        response.resume()
        server.close()
        resolve(response.statusCode ?? 0)
      }).on('error', reject)
    })
  })
}
