import { serve } from '@hono/node-server'
import { createBroker, generateSigningKeys } from '@hallpass/broker'
import { memoryLedger, privateKeyJwt } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'
import { inventory, orders } from '../catalog.ts'
import { readSetup, ready, type KeyOwner } from '../desk/setup.ts'
import { supportPolicy } from '../policy.ts'

const setup = await readSetup()
const registered = (subject: KeyOwner) =>
  privateKeyJwt({ audience: setup.broker, subject, jwks: { keys: [setup.publicKeys[subject]] } })

const keys = generateSigningKeys()
const broker = createBroker({
  issuer: setup.broker,
  policy: supportPolicy(setup),
  ledger: memoryLedger({ exactFor: 'one-process' }),
  keys,
  audit: fileTrail({ path: setup.trail, checkpoint: { signer: keys.current(), everySeconds: 5 } }),
  apis: [
    { id: 'orders-api', audience: orders.audience, identity: registered('orders-api') },
    { id: 'inventory-api', audience: inventory.audience, identity: registered('inventory-api') },
  ],
  operators: [{ id: 'operator', identity: registered('operator') }],
})

serve({ fetch: broker.fetch, hostname: '127.0.0.1', port: Number(new URL(setup.broker).port) }, ready)

process.on('SIGTERM', () => {
  void broker.close().then(() => process.exit(0))
})
