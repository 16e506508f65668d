import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createProofs } from '@hallpass/client'
import type { HeldGrant, OpenTask } from '../agent/broker-wire.ts'
import { brokerWire } from '../agent/broker-wire.ts'
import { volley } from '../agent/volley.ts'
import { seeded } from '../chaos/random.ts'
import { ACTIONS, LIMITS, ordersApi, ordersApis } from '../world/orders.ts'
import type { GuardedApi } from '../world/orders.ts'
import { identityOf } from '../world/policy.ts'
import { recordFile } from '../world/record-file.ts'
import type { EndRecord, GrantRecord } from '../world/records.ts'
import type { AgentTask } from './messages.ts'
import { listen, stopped, tell } from './parent.ts'

const GRANTS_PER_TASK = 6
const LATE_CALLS = 8

/** An agent that asks for what it may have and then takes more: each worker one task after the other. */
export async function runAgent(task: AgentTask): Promise<void> {
  const { name: agent } = task
  const apis = ordersApis(task.apis.replicas, task.apis.isEachOnItsOwn)
  /** Who guards which of them. */
  const portsOf = (api: GuardedApi): readonly number[] =>
    task.apis.isEachOnItsOwn ? task.replicas.slice(apis.indexOf(api)).slice(0, 1) : task.replicas
  const random = seeded(task.seed)
  const proofs = await createProofs()
  const broker = brokerWire(task.issuer, identityOf(agent, task), proofs)
  const grants = recordFile<GrantRecord>(join(task.records, `grants-${agent}.jsonl`))
  const ends = recordFile<EndRecord>(join(task.records, `ends-${agent}.jsonl`))
  const setup = { proofs, random }
  const life = { isOver: false }

  async function use(grant: HeldGrant, requests: number): Promise<void> {
    const tally = await volley({ ...setup, replicas: portsOf(grant.api) }, grant, requests)
    const { jti, txn, action, exp, sent, received } = grant
    grants.add({ kind: 'grant', jti, txn, agent, action, exp, sent, received, ...tally })
    tell({ kind: 'spent', jti, requests: tally.requests })
  }

  async function end(open: OpenTask): Promise<void> {
    const asked = Date.now()
    const at = await broker.endTask(open)
    if (at !== undefined) ends.add({ kind: 'end', target: { kind: 'task', txn: open.txn }, asked, at })
  }

  async function oneTask(): Promise<void> {
    const open = await broker.openTask()
    if (open === undefined) {
      await delay(200)
      return
    }
    let last: HeldGrant | undefined
    for (let turn = 1; turn <= GRANTS_PER_TASK && !life.isOver; turn++) {
      const action = random.pick(ACTIONS) ?? 'note.add'
      const grant = await broker.grant(open, random.pick(apis) ?? ordersApi(), action)
      // Refused: the task was ended, the agent stopped, or the broker is away.
      if (grant === undefined) break
      last = grant
      tell({ kind: 'live', jti: grant.jti, txn: grant.txn, agent })
      const tries = LIMITS[action].uses + random.whole(8, 64)
      const isCutShort = turn === GRANTS_PER_TASK && random.chance(0.5)
      await Promise.all([use(grant, tries), ...(isCutShort ? [delay(random.whole(5, 150)).then(() => end(open))] : [])])
    }
    await end(open)
    if (last !== undefined) await use(last, LATE_CALLS)
  }

  const worker = async (): Promise<void> => {
    while (!life.isOver) await oneTask()
  }
  const stop = async (workers: Promise<unknown>): Promise<void> => {
    life.isOver = true
    await workers
    stopped()
  }
  const workers = Promise.all(Array.from({ length: task.workers }, worker))
  listen((order) => {
    if (order.kind === 'stop') void stop(workers)
  })
  tell({ kind: 'ready' })
}
