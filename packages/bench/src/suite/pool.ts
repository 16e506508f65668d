import { performance } from 'node:perf_hooks'
import { isPromise } from '@hallpass/core'
import type { IncomingCall, Verdict } from '@hallpass/verifier'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { guardOrders } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import { createPresenter } from '../world/presenter.ts'
import type { Held, Presenter } from '../world/presenter.ts'
import { must, take } from './must.ts'
import type { Suite } from './suite.ts'

const IN_FLIGHT = 64
const HOLDERS = 64

/** A work of one verifier, and what share of the time its event loop was busy. */
interface PoolWork extends Work {
  loopBusyShare(): number
}

/** Like requests of a server: each call comes in a turn of the event loop that is not the last one's. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** 64 callers, each with one call at a time, for tokens and keys the verifier has seen. */
function callers(orders: GuardedOrders, presenter: Presenter): PoolWork {
  const action = orders.verifier.forAction('order.read')
  const held = Array.from({ length: HOLDERS }, () => presenter.hold())
  orders.register(held.map(({ grant }) => grant))
  let calls: IncomingCall[] = []
  let next = 0
  const busy = { active: 0, all: 0 }
  const caller = async (operations: number): Promise<void> => {
    while (next < operations) {
      const call = take(calls, next)
      next += 1
      const verdict = action.verify(call)
      const done = isPromise(verdict) ? await verdict : verdict
      if (done.kind !== 'admitted') throw new Error('An honest call was not admitted while it was timed.')
      void done.settle({ status: 200 })
      await nextTurn()
    }
  }
  return {
    prepare(operations) {
      calls = Array.from({ length: operations }, (_, index) => presenter.call(take(held, index % HOLDERS)))
      next = 0
    },
    async run(operations) {
      const before = performance.eventLoopUtilization()
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => caller(operations)))
      const { active, idle } = performance.eventLoopUtilization(before)
      busy.active += active
      busy.all += active + idle
    },
    loopBusyShare: () => Number((busy.active / busy.all).toPrecision(3)),
  }
}

/** 64 calls of one turn, so that most are checked away from here: the honest pass once, nothing else does. */
async function checkTogether(orders: GuardedOrders, presenter: Presenter): Promise<void> {
  const held = Array.from({ length: IN_FLIGHT }, () => presenter.hold())
  orders.register(held.map(({ grant }) => grant))
  const read = (calls: readonly IncomingCall[]): Promise<Verdict[]> =>
    Promise.all(calls.map(async (call) => orders.verifier.verify('order.read', call)))
  const forged = ({ grant, holder }: Held): Held => {
    const cut = grant.token.lastIndexOf('.') + 9
    const other = grant.token[cut] === 'A' ? 'B' : 'A'
    return { grant: { ...grant, token: grant.token.slice(0, cut) + other + grant.token.slice(cut + 1) }, holder }
  }
  const all = (verdicts: readonly Verdict[], kind: Verdict['kind']): boolean =>
    verdicts.every((verdict) => verdict.kind === kind)
  const calls = held.map((one) => presenter.call(one))
  must(all(await read(calls), 'admitted'), 'honest calls are admitted together')
  must(all(await read(calls), 'refused'), 'their proofs are refused a second time')
  must(all(await read(held.map((one) => presenter.call(forged(one)))), 'refused'), 'altered tokens are refused')
  const strangers = held.map(({ grant }, index) => ({ grant, holder: take(held, (index + 1) % IN_FLIGHT).holder }))
  must(all(await read(strangers.map((one) => presenter.call(one))), 'refused'), "another's proofs are refused")
}

const row: RowAim = {
  id: 'verify.pool',
  aim: 1.4,
  better: 'higher',
  measure: 'wall',
  baseline: 'the same, checked at once',
  work: 'warm token and proof, 64 in flight in one process, signatures on the thread pool',
}

export const pool: Suite = {
  rows: [row],
  pace: {
    full: { rounds: 41, slice: 120, baselineSlice: 60, warmUp: 1000 },
    quick: { rounds: 9, slice: 60, baselineSlice: 30, warmUp: 200 },
  },
  open: async () => {
    const issuer = createBenchIssuer()
    const trail = openBenchTrail()
    const presenter = createPresenter(issuer, HOLDERS)
    const pooled = guardOrders(issuer, trail, { signatureChecks: 'thread-pool' })
    const atOnce = guardOrders(issuer, trail)
    const [work, baseline] = [callers(pooled, presenter), callers(atOnce, presenter)]
    const check = async (): Promise<void> => {
      await checkTogether(pooled, presenter)
      await checkTogether(atOnce, presenter)
    }
    const detail = () => ({
      loopBusyShare: work.loopBusyShare(),
      baselineLoopBusyShare: baseline.loopBusyShare(),
    })
    return { entries: [{ id: row.id, check, work, baseline, detail }], close: () => trail.close() }
  },
}
