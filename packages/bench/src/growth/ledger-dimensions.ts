import { isPromise } from '@hallpass/core'
import type { RedeemRequest } from '@hallpass/core'
import { fillLedger, there } from '../memory/fill-ledger.ts'
import type { FilledLedger, RegisteredGrant } from '../memory/fill-ledger.ts'
import { take } from '../suite/must.ts'
import type { Dimension } from './dimension.ts'

const GRANTS_PER_TASK = 10
/** Uses of each grant before others take their place. */
const USES_EACH = 64
const BATCH = 256

function living(count: number): { readonly filled: FilledLedger; readonly grants: readonly RegisteredGrant[] } {
  const filled = fillLedger()
  const tasks = Array.from({ length: Math.ceil(count / GRANTS_PER_TASK) }, () => there(filled.openTask()))
  const grants = Array.from({ length: count }, (_, index) => there(filled.register(take(tasks, index % tasks.length))))
  return { filled, grants }
}

/** A redeem and its outcome, in the memory ledger. */
export const liveGrants: Dimension = {
  id: 'growth.grants',
  of: 'live grants',
  work: 'a redeem with its replay mark, and settling it, in the memory ledger',
  sizes: [100, 1000, 10_000, 100_000, 1_000_000],
  open(size) {
    let world = living(size)
    let uses = 0
    let requests: RedeemRequest[] = []
    return {
      work: {
        batch: BATCH,
        prepare(operations) {
          if (uses > size * USES_EACH) {
            world = living(size)
            uses = 0
          }
          const { filled, grants } = world
          // In an order that no processor can guess.
          requests = Array.from({ length: operations }, (_, index) =>
            filled.request(take(grants, ((uses + index) * 7919) % size)),
          )
          uses += operations
        },
        run(operations) {
          const { ledger } = world.filled
          for (let done = 0; done < operations; done += 1) {
            const answer = ledger.redeem(take(requests, done))
            if (isPromise(answer) || !answer.ok || answer.state !== 'first') {
              throw new Error('An honest use was refused while it was timed.')
            }
            ledger.settle(answer.reservation, { status: 200 })
          }
        },
      },
    }
  },
}
