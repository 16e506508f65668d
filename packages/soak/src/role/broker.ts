import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Broker } from '@hallpass/broker'
import { fileTrail } from '@hallpass/core/file-trail'
import { serve } from '@hono/node-server'
import { openLedger } from '../store/open-ledger.ts'
import { ordersApis } from '../world/orders.ts'
import { identityOf, soakPolicy } from '../world/policy.ts'
import { recordFile } from '../world/record-file.ts'
import type { MadeRecord } from '../world/records.ts'
import type { BrokerTask, Order } from './messages.ts'
import { notedTrail } from './noted-trail.ts'
import { listen, stopped, tell } from './parent.ts'

/** One broker of the run: several share issuer, keys and ledger, and each has a trail of its own. */
export async function runBroker(task: BrokerTask): Promise<void> {
  const opened = await openLedger(task.place)
  const signer = privateKeySigner(createPrivateKey(readFileSync(task.signingKey, 'utf8')))
  const checkpoint = { signer, everyEvents: 1000, everySeconds: 5 }
  const trail = fileTrail({ path: task.trail, durable: 'each', checkpoint })
  const made = recordFile<MadeRecord>(join(task.records, `made-${task.name}-${process.pid}.jsonl`))
  const { replicas, isEachOnItsOwn } = task.apis
  const apis = ordersApis(replicas, isEachOnItsOwn)
  const broker = createBroker({
    issuer: task.issuer,
    policy: soakPolicy({ ...task, apis }),
    ledger: opened.ledger,
    keys: signingKeys({ current: signer }),
    audit: notedTrail(trail, made),
    apis: apis.map(({ id, api }) => ({
      id,
      api,
      identity: identityOf(id, task),
      ledger: isEachOnItsOwn ? 'own' : 'broker',
    })),
    rates: { perCaller: 'unlimited', unproven: 'unlimited' },
    sweepSeconds: 2,
  })
  const server = serve({ fetch: broker.fetch, hostname: '127.0.0.1', port: task.port }, () => tell({ kind: 'ready' }))
  const stop = async () => {
    broker.drain()
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
    await broker.close()
    await trail.close()
    await opened.close()
    stopped()
  }
  listen((order) => {
    if (order.kind === 'stop') void stop()
    if (order.kind === 'revoke' || order.kind === 'resume') void change(broker, order)
  })
}

/** Without an acknowledgement nothing is claimed: the store may be away. */
async function change(broker: Broker, order: Extract<Order, { kind: 'revoke' | 'resume' }>): Promise<void> {
  try {
    await (order.kind === 'revoke' ? broker.revoke(order.target, 'soak') : broker.resume(order.target, 'soak'))
    tell({ kind: 'acknowledged', id: order.id, at: Date.now() })
  } catch {
    // The run asks again, or does without.
  }
}
