import { appendFileSync } from 'node:fs'
import { serve } from '@hono/node-server'
import { fileTrail } from '@hallpass/core/file-trail'
import { redisLedger } from '@hallpass/redis'
import { createVerifier, protect } from '@hallpass/verifier'
import { Redis } from 'ioredis'
import { orders } from '../catalog.ts'
import { LEDGER } from '../parts/ledger-options.ts'
import { readSetup } from '../parts/setup.ts'

const { setup, index } = await readSetup()
const redis = new Redis(setup.redis)
// `each`: a use is on disk before its handler runs, so that not even kill -9 leaves a handled request without a record.
const trail = fileTrail({
  path: `${setup.directory}/api-${index}.jsonl`,
  source: `verifier:${orders.audience}#${index}`,
  durable: 'each',
})
const verifier = createVerifier({
  api: orders,
  issuer: setup.issuer,
  ledger: await redisLedger({ ...LEDGER, client: redis }),
  audit: trail,
  publicUrl: setup.api,
})

const refund = protect(verifier, 'refund.create', (_request, { grant }) => {
  // What really happened, kept apart from everything that Hallpass keeps.
  appendFileSync(
    `${setup.directory}/handled-${index}.log`,
    `${grant.event} ${grant.txn} ${grant.agent} ${Date.now()}\n`,
  )
  return Response.json({ refunded: grant.parameters.amount.toString() }, { status: 201 })
})

const server = serve(
  { fetch: refund, hostname: '127.0.0.1', port: setup.apis[index] ?? 0 },
  () => void process.send?.({ ready: true }),
)

process.on('SIGTERM', () => {
  server.close(() => {
    void trail
      .close()
      .then(() => redis.quit())
      .then(() => process.exit(0))
  })
  if ('closeIdleConnections' in server) server.closeIdleConnections()
  setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), 1000).unref()
})
