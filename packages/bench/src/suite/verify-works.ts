import { randomBytes } from 'node:crypto'
import type { IncomingCall } from '@hallpass/verifier'
import type { Work } from '../timing/work.ts'
import type { Target } from '../world/agent-call.ts'
import { atOnce } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import type { Held, Presenter } from '../world/presenter.ts'
import { take } from './must.ts'
import { OTHER_ACTION, OTHER_RESOURCE } from './verify-checks.ts'

const SETTLED = { status: 200 } as const
/** Tokens in use at once where tokens repeat, and how often each does. */
const WARM_TOKENS = 256
const USES_EACH = 64
/** Calls that are made ready at a time. */
const BATCH = 256
/** Life of a token. What its uses leave behind goes with it. */
const SECONDS = 20

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** The whole flow per call: verify, redeem, record, hand over, settle, record. */
function admitEach(orders: GuardedOrders, calls: () => readonly IncomingCall[]): Pick<Work, 'run'> {
  const action = orders.verifier.forAction('order.read')
  return {
    run(operations) {
      const prepared = calls()
      for (let done = 0; done < operations; done++) {
        const verdict = atOnce(action.verify(take(prepared, done)))
        if (verdict.kind !== 'admitted') throw new Error('An honest call was not admitted while it was timed.')
        void verdict.settle(SETTLED)
      }
    },
  }
}

/** One token per operation, each seen before by the verifier; others take their place when each was used, or when they grow old. */
function warmTokens(orders: GuardedOrders, presenter: Presenter): (operations: number) => readonly Held[] {
  let held: readonly Held[] = []
  const inTurn = (operations: number): Held[] => times(operations, (index) => take(held, (uses + index) % WARM_TOKENS))
  let madeAt = Number.NEGATIVE_INFINITY
  let uses = 0
  return (operations) => {
    uses += operations
    if (uses < WARM_TOKENS * USES_EACH && performance.now() - madeAt < (SECONDS * 1000) / 2) return inTurn(operations)
    held = times(WARM_TOKENS, () => presenter.hold({ calls: 2 * USES_EACH, ttl: SECONDS }))
    orders.register(held.map(({ grant }) => grant))
    void admitEach(orders, () => held.map((one) => presenter.call(one))).run(WARM_TOKENS)
    madeAt = performance.now()
    uses = operations
    return inTurn(operations)
  }
}

/** Tokens that the verifier has seen. */
export function warm(orders: GuardedOrders, presenter: Presenter): Work {
  const tokens = warmTokens(orders, presenter)
  let calls: IncomingCall[] = []
  return {
    batch: BATCH,
    prepare(operations) {
      calls = tokens(operations).map((held) => presenter.call(held))
    },
    ...admitEach(orders, () => calls),
  }
}

/** A token per call that the verifier has not seen. */
export function cold(orders: GuardedOrders, presenter: Presenter): Work {
  let calls: IncomingCall[] = []
  return {
    batch: BATCH,
    prepare(operations) {
      const held = times(operations, () => presenter.hold({ calls: 1, ttl: SECONDS }))
      orders.register(held.map(({ grant }) => grant))
      calls = held.map((one) => presenter.call(one))
    },
    ...admitEach(orders, () => calls),
  }
}

/** The same with every event hash-chained into a file; the disk itself works while the next calls are made ready. */
export function chained(orders: GuardedOrders, work: Work): Work {
  return {
    ...work,
    async prepare(operations) {
      await orders.trail.flush()
      await work.prepare?.(operations)
      orders.trail.chain(true)
    },
    after: () => orders.trail.chain(false),
  }
}

function refuseEach(
  orders: GuardedOrders,
  prepare: (operations: number) => { read: IncomingCall[]; write: IncomingCall[] },
): Work {
  const read = orders.verifier.forAction('order.read')
  const write = orders.verifier.forAction('refund.create')
  let calls: { read: IncomingCall[]; write: IncomingCall[] } = { read: [], write: [] }
  return {
    batch: BATCH,
    prepare(operations) {
      calls = prepare(operations)
    },
    run(operations) {
      const reads = operations - calls.write.length
      for (let done = 0; done < reads; done++) {
        if (atOnce(read.verify(take(calls.read, done))).kind !== 'refused')
          throw new Error('A bad call was not refused.')
      }
      for (let done = 0; done < calls.write.length; done++) {
        if (atOnce(write.verify(take(calls.write, done))).kind !== 'refused')
          throw new Error('A bad call was not refused.')
      }
    },
  }
}

/** Good tokens, seen before, for another resource or another action. */
export function outOfScope(orders: GuardedOrders, presenter: Presenter): Work {
  const tokens = warmTokens(orders, presenter)
  return refuseEach(orders, (operations) => {
    const held = tokens(operations)
    const writes = operations >> 1
    const calls = (some: readonly Held[], target: Target) => some.map((one) => presenter.call(one, target))
    return { read: calls(held.slice(writes), OTHER_RESOURCE), write: calls(held.slice(0, writes), OTHER_ACTION) }
  })
}

/** Tokens past their end. */
export function expired(orders: GuardedOrders, presenter: Presenter): Work {
  return refuseEach(orders, (operations) => ({
    read: times(operations, () => presenter.call(presenter.hold({ ttl: -1 }))),
    write: [],
  }))
}

/** Tokens in perfect shape with a signature by nobody. */
export function forged(orders: GuardedOrders, presenter: Presenter): Work {
  const honest = presenter.hold()
  const signed = honest.grant.token.slice(0, honest.grant.token.lastIndexOf('.'))
  const forgery = (): Held => ({
    ...honest,
    grant: { ...honest.grant, token: `${signed}.${randomBytes(64).toString('base64url')}` },
  })
  return refuseEach(orders, (operations) => ({ read: times(operations, () => presenter.call(forgery())), write: [] }))
}
