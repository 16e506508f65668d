import express from 'express'
import { signedAssertion } from '@hallpass/client'
import { createVerifier } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { checkRoutes, grantOf, requireGrant } from '@hallpass/verifier/express'
import { orders } from '../catalog.ts'
import { readPrivateKey, readSetup, ready } from '../desk/setup.ts'

const setup = await readSetup()
const identity = signedAssertion({ clientId: 'orders-api', key: await readPrivateKey(setup, 'orders-api') })
const ledger = brokerLedger({ issuer: setup.broker, identity })
const verifier = createVerifier({ api: orders, issuer: setup.broker, ledger, audit: ledger, publicUrl: setup.orders })

const app = express()
const runs: Record<string, number> = {}
const ran = (what: string) => {
  runs[what] = (runs[what] ?? 0) + 1
}

app.get('/runs', (_req, res) => void res.json(runs)) // unprotected: how often each handler really ran

app.get('/orders/:id', requireGrant(verifier, 'order.read'), (req, res) => {
  const grant = grantOf(verifier, 'order.read', req)
  ran(`read ${grant.resource}`)
  res.json({ id: grant.resourceParts.id, total: '129.90', currency: 'EUR', status: 'delivered' })
})

app.post('/orders/:id/refund', requireGrant(verifier, 'refund.create'), (req, res) => {
  const grant = grantOf(verifier, 'refund.create', req)
  ran(`refund ${grant.resource}`)
  res.status(201).json({ refund: `rf_${grant.resourceParts.id}`, amount: grant.parameters.amount.toString() })
})

app.post('/orders/:id/cancel', requireGrant(verifier, 'order.cancel'), (req, res) => {
  const grant = grantOf(verifier, 'order.cancel', req)
  ran(`cancel ${grant.resource}`)
  res.json({ cancelled: grant.resourceParts.id })
})

checkRoutes(verifier, app)
app.listen(Number(new URL(setup.orders).port), '127.0.0.1', ready)
