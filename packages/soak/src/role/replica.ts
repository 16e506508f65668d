import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Decimal, memoryLedger, toUnits } from '@hallpass/core'
import type { AuditDelivery, UseLedger } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { grantOf, hallpass } from '@hallpass/verifier/fastify'
import { feed } from '@hallpass/verifier/feed'
import { forwardingTrail } from '@hallpass/verifier/forwarding-trail'
import { fastify } from 'fastify'
import { openLedger } from '../store/open-ledger.ts'
import { ACTIONS, LIMITS, MAX_STALENESS_SECONDS, ordersApi } from '../world/orders.ts'
import { identityOf } from '../world/policy.ts'
import { recordFile } from '../world/record-file.ts'
import type { MadeRecord, UseRecord } from '../world/records.ts'
import type { ReplicaTask } from './messages.ts'
import { notedTrail } from './noted-trail.ts'
import { listen, stopped, tell } from './parent.ts'
import { watchedLedger } from './watched-ledger.ts'

const WORK_MS = 25
const DELIVERY_MS = 30_000
/** Of the uses, so many are given back by their handler. */
const GIVEN_BACK = 0.15

/** One replica of the API: every handler run is in its file before the answer leaves. */
export async function runReplica(task: ReplicaTask): Promise<void> {
  let offset = 0
  const clock = () => Date.now() / 1000 + offset
  const home = `http://127.0.0.1:${task.brokerPort}`
  const { id: apiId, api, nameOf } = ordersApi(task.api)
  // One issuer, several brokers: this one keeps the whole chain of this replica.
  const toHome = (url: string, init: RequestInit) => fetch(url.replace(task.issuer, home), init)
  const identity = identityOf(apiId, task)
  const remote = brokerLedger({ issuer: task.issuer, identity, fetch: toHome, clock })
  const opened = typeof task.counts === 'string' ? undefined : await openLedger(task.counts)
  const counting: UseLedger =
    task.counts === 'own' ? memoryLedger({ exactFor: 'one-process', clock }) : (opened?.ledger ?? remote)
  const revocation = task.counts === 'own' ? feed({ identity, maxStalenessSeconds: MAX_STALENESS_SECONDS }) : undefined
  const uses = recordFile<UseRecord>(join(task.records, `uses-${task.name}-${process.pid}.jsonl`))
  const made = recordFile<MadeRecord>(join(task.records, `made-${task.name}-${process.pid}.jsonl`))
  const ledger = watchedLedger(counting, uses)
  // What the broker records by itself it counts by itself, under ids of its own.
  const to: AuditDelivery = counting === remote ? remote : { deliver: (events) => remote.deliver(events) }
  const trail = forwardingTrail({ path: task.spool, to, maxRetryMs: 1000 })
  const audit = notedTrail(trail, made, (event) => to.records?.(event) !== true)
  const verifier = createVerifier({
    api,
    issuer: task.issuer,
    ledger,
    audit,
    clock,
    instance: task.name,
    refusalWindowSeconds: 2,
    ...(revocation === undefined ? {} : { revocation }),
  })

  const app = fastify({ forceCloseConnections: true })
  await app.register(hallpass, { verifier, everyRouteDeclares: true })
  for (const action of ACTIONS) {
    const name = nameOf(action)
    app.post(`/orders/:id/${LIMITS[action].path}`, { config: { hallpass: name } }, async (request, reply) => {
      const grant = grantOf(verifier, name, request)
      const { event, id: jti, txn, agent } = grant
      const field = request.headers['idempotency-key']
      const key = typeof field === 'string' ? field : null
      const { amount } = grant.parameters
      const cents = amount instanceof Decimal ? centsOf(amount) : 0
      const times = { asked: ledger.askedAt(event), at: Date.now() }
      const use = { event, jti, txn, agent, action, api: apiId, key, amount: cents, replica: task.name }
      uses.add({ kind: 'run', ...use, ...times })
      ledger.reached('in-handler')
      await delay(Math.random() * WORK_MS)
      if (Math.random() >= GIVEN_BACK) return { event }
      const isReleased = await grant.giveBack('the order is locked')
      return reply.code(409).send({ event, type: isReleased ? 'given-back' : 'not-given-back' })
    })
  }
  listen((order) => {
    if (order.kind === 'step') offset = order.seconds
    if (order.kind === 'die') ledger.dieAt(order.where)
    if (order.kind === 'stop') void stop()
  })
  const stop = async () => {
    revocation?.close()
    await app.close()
    await verifier.flush()
    await Promise.race([trail.delivered(), delay(DELIVERY_MS)])
    await trail.close()
    await opened?.close()
    stopped()
  }
  await app.listen({ host: '127.0.0.1', port: task.port })
  tell({ kind: 'ready' })
}

function centsOf(amount: Decimal): number {
  const units = toUnits(amount, 2)
  if (!units.ok) throw new Error('A handler got an amount that is none')
  return units.value
}
