import { take } from '../suite/must.ts'
import { openTask } from '../world/bench-ledger.ts'
import { openDesk, tokenOf } from '../world/desk.ts'
import type { Desk, TokenRequest } from '../world/desk.ts'
import { ordersPolicy } from '../world/orders-policy.ts'
import type { Beside } from '../world/orders-policy.ts'
import type { Dimension, Grown } from './dimension.ts'

const BATCH = 128
let orders = 0

/** Issues grants at a desk: task token and proof checked, policy asked, registered, signed, chained on record. */
function issuing(desk: Desk): Grown {
  let requests: TokenRequest[] = []
  return {
    work: {
      batch: BATCH,
      async prepare(operations) {
        await desk.trail.flush()
        requests = Array.from({ length: operations }, () =>
          desk.request({ action: 'order.read', resource: `order:${(orders += 1)}` }),
        )
      },
      async run(operations) {
        for (let done = 0; done < operations; done += 1) {
          const token = tokenOf(await desk.ask(take(requests, done)))
          if (token === undefined) throw new Error('An honest request was refused while it was timed.')
        }
      },
    },
    close: () => desk.close(),
  }
}

const NOTHING: Beside = { agents: 0, rules: 0, otherRules: 0 }

const issuingBeside = async (beside: Partial<Beside>): Promise<Grown> =>
  issuing(await openDesk((identity) => ordersPolicy(identity, { ...NOTHING, ...beside })))

const ISSUE = 'a token exchange as data'

export const issueDimensions: readonly Dimension[] = [
  {
    id: 'growth.rules',
    of: 'rules about the action',
    work: `${ISSUE}; each rule has a condition that is false, but the last`,
    sizes: [1, 10, 100, 1000, 10_000],
    open: (count) => issuingBeside({ rules: count - 1 }),
  },
  {
    id: 'growth.other-rules',
    of: 'rules about another action',
    work: ISSUE,
    sizes: [1, 10, 100, 1000, 10_000],
    open: (count) => issuingBeside({ otherRules: count - 1 }),
  },
  {
    id: 'growth.agents',
    of: 'agents',
    work: ISSUE,
    sizes: [1, 10, 100, 1000, 10_000],
    open: (count) => issuingBeside({ agents: count - 1 }),
  },
  {
    id: 'growth.tasks',
    of: 'open tasks of the agent',
    work: ISSUE,
    sizes: [1, 10, 100, 1000, 10_000],
    async open(count) {
      const desk = await openDesk()
      for (let index = 1; index < count; index += 1) {
        openTask(desk.ledger, `tsk_${String(index).padStart(22, 'C')}`, count)
      }
      return issuing(desk)
    },
  },
]
