import { setTimeout } from 'node:timers/promises'
import { createClient, signedAssertion } from '@hallpass/client'
import { orders } from '../catalog.ts'
import { readKey, readSetup, type FleetSetup } from '../parts/setup.ts'
import { REFUNDS_PER_TASK } from '../policy.ts'

/** What an agent tells of itself, again and again. */
export interface AgentReport {
  readonly tasks: readonly string[]
  readonly calls: number
  readonly done: number
  readonly refused: Readonly<Record<string, number>>
  /** Of the other agent: when its last call that succeeded was sent, and when it was first told that it is stopped. */
  readonly night: { readonly done: number; readonly lastSentAt: number; readonly stoppedAt: number }
}

const WORKERS = 6
/** After these there is no point in asking on. The first is what each task is to end with. */
const LAST_WORDS: ReadonlySet<string> = new Set(['limit-exceeded', 'task-ended', 'task-expired', 'stopped'])

/** A use whose answer died with its replica leaves an exhausted grant behind, and so does the task's limit. */
const MAX_EXHAUSTED = 3

const { setup } = await readSetup()
const clientOf = async (of: FleetSetup, name: 'day-bot' | 'night-bot') =>
  createClient({
    issuer: of.issuer,
    identity: signedAssertion({ clientId: name, key: await readKey(of, name) }),
    api: orders,
    baseUrls: { [orders.audience]: of.api },
  })

const tasks: string[] = []
const refused: Record<string, number> = {}
const night = { done: 0, lastSentAt: 0, stoppedAt: 0 }
let [calls, done, order] = [0, 0, 0]
const over = new AbortController()

/** Task after task, each asking for more than it may have until it is told that its limit is reached. */
async function work(): Promise<void> {
  const client = await clientOf(setup, 'day-bot')
  while (!over.signal.aborted) {
    const outcome = await client.task({ purpose: 'refund-run' }, async (task) => {
      tasks.push(task.txn)
      const worker = async (): Promise<void> => {
        for (let exhausted = 0; exhausted < MAX_EXHAUSTED;) {
          calls += 1
          const call = await task.call('refund.create', {
            resource: `order:${++order}`,
            parameters: { amount: '1.00' },
          })
          if (call.ok) done += 1
          else {
            if (call.reason === 'grant-exhausted') exhausted += 1
            refused[call.reason] = (refused[call.reason] ?? 0) + 1
            if (LAST_WORDS.has(call.reason)) return
            await setTimeout(100)
          }
        }
      }
      await Promise.all(Array.from({ length: WORKERS }, async () => worker()))
      return REFUNDS_PER_TASK
    })
    if (typeof outcome !== 'number') await setTimeout(200)
  }
  await client.close()
}

/** The agent that is revoked on the way. */
async function workAtNight(): Promise<void> {
  const client = await clientOf(setup, 'night-bot')
  while (!over.signal.aborted && night.stoppedAt === 0) {
    await client.task({ purpose: 'refund-run' }, async (task) => {
      for (let call = 0; !over.signal.aborted; call += 1) {
        const sentAt = Date.now()
        const outcome = await task.call('refund.create', { resource: `order:n${call}`, parameters: { amount: '1.00' } })
        if (outcome.ok) {
          night.done += 1
          night.lastSentAt = sentAt
        } else if (['stopped', 'agent-revoked', 'grant-revoked', 'task-ended'].includes(outcome.reason)) {
          night.stoppedAt = Date.now()
          return outcome.reason
        } else await setTimeout(100)
      }
      return 'over'
    })
    await setTimeout(50)
  }
  await client.close()
}

const report = (): void => void process.send?.({ tasks, calls, done, refused, night } satisfies AgentReport)
const telling = setInterval(report, 250)
process.on('message', () => over.abort())
report()
await Promise.all([work(), workAtNight()])
clearInterval(telling)
process.send?.({ tasks, calls, done, refused, night } satisfies AgentReport, () => process.exit(0))
