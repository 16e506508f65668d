import { serve } from '@hono/node-server'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import { fileTrail } from '@hallpass/core/file-trail'
import { redisLedger } from '@hallpass/redis'
import { Redis } from 'ioredis'
import { LEDGER } from '../parts/ledger-options.ts'
import { readKey, readSetup } from '../parts/setup.ts'
import { fleetPolicy } from '../policy.ts'

const { setup, index } = await readSetup()
const redis = new Redis(setup.redis)
// `each`: a task is on disk before its token leaves, so that not even kill -9 leaves one without a record.
const trail = fileTrail({
  path: `${setup.directory}/broker-${index}.jsonl`,
  source: `broker:${setup.issuer}#${index}`,
  durable: 'each',
})
// Two brokers that are one issuer share the ledger, the signing keys and the policy. Each keeps its own trail.
const broker = createBroker({
  issuer: setup.issuer,
  policy: fleetPolicy(setup),
  ledger: await redisLedger({ ...LEDGER, client: redis }),
  keys: signingKeys({ current: privateKeySigner(await readKey(setup, 'broker'), 'fleet-1') }),
  audit: trail,
  sweepSeconds: 1,
})

const server = serve(
  { fetch: broker.fetch, hostname: '127.0.0.1', port: setup.brokers[index] ?? 0 },
  () => void process.send?.({ ready: true }),
)

process.on('message', (agent: string) => {
  void broker.revoke({ kind: 'agent', clientId: agent }, 'fleet drill').then((revoked) => {
    process.send?.({ revoked })
    return revoked
  })
})

process.on('SIGTERM', () => {
  broker.drain()
  server.close(() => {
    void broker
      .close()
      .then(() => trail.close())
      .then(() => redis.quit())
      .then(() => process.exit(0))
  })
  if ('closeIdleConnections' in server) server.closeIdleConnections()
  setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), 1000).unref()
})
