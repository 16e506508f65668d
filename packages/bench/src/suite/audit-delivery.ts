import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import { memoryLedger, privateKeyJwt, verifyTrail } from '@hallpass/core'
import type { AuditEvent } from '@hallpass/core'
import { fileTrail, readTrail } from '@hallpass/core/file-trail'
import { testIdentity } from '@hallpass/testing'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { forwardingTrail } from '@hallpass/verifier/forwarding-trail'
import { getRequestListener } from '@hono/node-server'
import { apiIdentity } from '../feed/api-identity.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { createEs256Key } from '../world/es256-key.ts'
import { AGENT } from '../world/grant.ts'
import { AUDIENCE, ordersApi } from '../world/orders-api.ts'
import { ordersPolicy } from '../world/orders-policy.ts'
import { useStarted } from '../world/use-event.ts'
import { must } from './must.ts'
import type { Suite } from './suite.ts'

/** Events in one turn of the event loop. */
const BURST = 64
const KEPT_BYTES = 1024 * 1024 * 1024
const ROOM = 200_000

const row: RowAim = {
  id: 'audit.delivery',
  aim: null,
  better: 'lower',
  measure: 'wall',
  baseline: 'the same event appended to a file trail',
  work: 'one event spooled, sent to the broker over loopback, chained and synced there, acknowledged; one process',
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function append(sink: { append(event: AuditEvent): unknown }, done: () => Promise<void>): Work {
  return {
    async run(operations) {
      for (let index = 0; index < operations; index++) {
        void sink.append({ ...useStarted(index + 1), type: 'use.ended', status: 200 })
        if (index % BURST === BURST - 1) await turn()
      }
      await done()
    },
  }
}

/** A broker with its trail in a file, listening on loopback. */
async function openBroker(path: string) {
  let answer: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 })
  const listener = getRequestListener(async (request) => answer(request))
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [key, apiKey] = [createEs256Key(), createEs256Key()]
  const trail = fileTrail({ path, maxBufferedEvents: ROOM })
  const jwks = { keys: [{ ...apiKey.jwk, kid: 'api' }] }
  const broker = createBroker({
    issuer,
    policy: ordersPolicy(testIdentity(AGENT, { audience: issuer, clock: () => Date.now() / 1000 }).registered),
    ledger: memoryLedger({ exactFor: 'one-process' }),
    keys: signingKeys({ current: privateKeySigner(key.privateJwk, 'bench-1') }),
    audit: trail,
    apis: [{ api: ordersApi, identity: privateKeyJwt({ audience: issuer, subject: AUDIENCE, jwks }) }],
  })
  answer = async (request) => broker.fetch(request)
  return {
    issuer,
    identity: apiIdentity(apiKey.privateJwk),
    async close() {
      await broker.close()
      server.closeAllConnections()
      server.close()
      await trail.close()
    },
  }
}

/** Everything sent is in the broker's trail once, in order, chained by its source as well. */
async function checkDelivered(path: string, sent: number): Promise<void> {
  const verdict = await verifyTrail(readTrail(path))
  must(verdict.ok, 'the chain of the broker holds')
  const source = verdict.ok ? verdict.sources[0] : undefined
  must(source?.broken === 0 && source.lines === sent, 'the chain of the source is there, once and whole')
}

export const auditDelivery: Suite = {
  rows: [row],
  pace: {
    full: { rounds: 15, slice: 400, baselineSlice: 200, warmUp: 500 },
    quick: { rounds: 5, slice: 150, baselineSlice: 80, warmUp: 200 },
  },
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
    const path = join(folder, 'broker.jsonl')
    const broker = await openBroker(path)
    const to = brokerLedger({ issuer: broker.issuer, identity: broker.identity, timeoutMs: 30_000 })
    const spool = join(folder, 'spool')
    const trail = forwardingTrail({ path: spool, to, durable: 'grouped', maxBytes: KEPT_BYTES })
    const local = fileTrail({ path: join(folder, 'local.jsonl'), maxBufferedEvents: ROOM })
    const work = append(trail, () => trail.delivered())
    return {
      entries: [
        {
          id: row.id,
          async check() {
            await work.run(200)
            await checkDelivered(path, 200)
          },
          work,
          baseline: append(local, () => local.flush()),
        },
      ],
      async close() {
        await trail.close()
        await Promise.all([local.close(), broker.close()])
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}
