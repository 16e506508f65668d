import { randomBytes } from 'node:crypto'
import type { IncomingCall } from '@hallpass/verifier'
import type { Work } from '../timing/work.ts'
import { atOnce } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import type { Held, Presenter } from '../world/presenter.ts'
import { take } from './must.ts'

const SETTLED = { status: 200 } as const
/** Tokens in use at once where tokens repeat. */
const WARM_TOKENS = 64
/** Calls that are made ready at a time. */
const BATCH = 256
/** Uses after which the ledger starts afresh: some seconds of a busy server. */
const USES_PER_LEDGER = 20_000

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** The whole flow per call: verify, redeem, record, hand over, settle, record. */
function admitEach(orders: GuardedOrders, calls: () => readonly IncomingCall[]): Pick<Work, 'run' | 'after'> {
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
    after: () => orders.events.clear(),
  }
}

/** Tokens that the verifier has seen. */
export function warm(orders: GuardedOrders, presenter: Presenter): Work {
  const held = times(WARM_TOKENS, () => presenter.hold())
  let calls: IncomingCall[] = []
  let uses = Number.POSITIVE_INFINITY
  return {
    batch: BATCH,
    prepare(operations) {
      if (uses > USES_PER_LEDGER) {
        orders.restart(held.map(({ grant }) => grant))
        uses = 0
      }
      uses += operations
      calls = times(operations, (index) => presenter.call(take(held, index % WARM_TOKENS)))
    },
    ...admitEach(orders, () => calls),
  }
}

/** A token per call that the verifier has not seen. */
export function cold(orders: GuardedOrders, presenter: Presenter): Work {
  let calls: IncomingCall[] = []
  let uses = Number.POSITIVE_INFINITY
  return {
    batch: BATCH,
    prepare(operations) {
      if (uses > USES_PER_LEDGER) {
        orders.restart([])
        uses = 0
      }
      uses += operations
      const held = times(operations, () => presenter.hold({ calls: 1 }))
      orders.register(held.map(({ grant }) => grant))
      calls = held.map((one) => presenter.call(one))
    },
    ...admitEach(orders, () => calls),
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
    after: () => orders.events.clear(),
  }
}

/** Good tokens, seen before, for another resource or another action. */
export function outOfScope(orders: GuardedOrders, presenter: Presenter): Work {
  const held = times(WARM_TOKENS, () => presenter.hold())
  const first = admitEach(orders, () => held.map((one) => presenter.call(one)))
  let isWarm = false
  return refuseEach(orders, (operations) => {
    if (!isWarm) {
      orders.restart(held.map(({ grant }) => grant))
      void first.run(WARM_TOKENS)
      isWarm = true
    }
    const writes = operations >> 1
    const calls = (count: number, method: string, path: string) =>
      times(count, (index) => presenter.call(take(held, index % WARM_TOKENS), { method, path }))
    return {
      read: calls(operations - writes, 'GET', '/orders/999'),
      write: calls(writes, 'POST', '/orders/123/refund'),
    }
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
