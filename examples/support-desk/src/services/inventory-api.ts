import Fastify from 'fastify'
import { signedAssertion } from '@hallpass/client'
import { createVerifier } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { grantOf, hallpass } from '@hallpass/verifier/fastify'
import { inventory } from '../catalog.ts'
import { readPrivateKey, readSetup, ready } from '../desk/setup.ts'

const setup = await readSetup()
const identity = signedAssertion({ clientId: 'inventory-api', key: await readPrivateKey(setup, 'inventory-api') })
const ledger = brokerLedger({ issuer: setup.broker, identity })
const verifier = createVerifier({
  api: inventory,
  issuer: setup.broker,
  ledger,
  audit: ledger,
  publicUrl: setup.inventory,
})

const app = Fastify()
const runs: Record<string, number> = {}
const ran = (what: string) => {
  runs[what] = (runs[what] ?? 0) + 1
}

await app.register(hallpass, { verifier, everyRouteDeclares: true })

app.get('/runs', { config: { hallpass: false } }, () => runs)

app.get('/stock/:sku', { config: { hallpass: 'stock.read' } }, (request) => {
  const grant = grantOf(verifier, 'stock.read', request)
  ran(`look up ${grant.resource}`)
  return { sku: grant.resourceParts.sku, pieces: 12 }
})

app.post('/stock/:sku/reservations', { config: { hallpass: 'stock.reserve' } }, (request, reply) => {
  const grant = grantOf(verifier, 'stock.reserve', request)
  ran(`reserve ${grant.resource}`)
  return reply.code(201).send({ sku: grant.resourceParts.sku, reserved: grant.parameters.quantity.toString() })
})

await app.listen({ port: Number(new URL(setup.inventory).port), host: '127.0.0.1' })
ready()
