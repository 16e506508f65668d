import { performance } from 'node:perf_hooks'
import type { IncomingCall } from '@hallpass/verifier'
import { take } from '../suite/must.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { atOnce, guardOrders } from '../world/guarded-orders.ts'
import { createPresenter } from '../world/presenter.ts'

const HOLDERS = 64

/** What a loop is told: make this many calls ready, or verify those it made ready. */
export type LoopOrder = { readonly prepare: number } | 'run'

/** Verifies warm tokens with fresh proofs, as many as it is told, until the process that started it is gone. */
export function verifyLoop(): void {
  const issuer = createBenchIssuer()
  const trail = openBenchTrail()
  const presenter = createPresenter(issuer, HOLDERS)
  const orders = guardOrders(issuer, trail)
  const action = orders.verifier.forAction('order.read')
  const held = Array.from({ length: HOLDERS }, () => presenter.hold())
  orders.register(held.map(({ grant }) => grant))
  let calls: IncomingCall[] = []
  const run = (): number => {
    const started = performance.now()
    for (const call of calls) {
      const verdict = atOnce(action.verify(call))
      if (verdict.kind !== 'admitted') throw new Error('An honest call was not admitted while it was timed.')
      void verdict.settle({ status: 200 })
    }
    return performance.now() - started
  }
  process.once('disconnect', () => void trail.close().finally(() => process.exit(0)))
  process.on('message', (order: LoopOrder) => {
    if (order === 'run') {
      process.send?.(run())
      return
    }
    calls = Array.from({ length: order.prepare }, (_, index) => presenter.call(take(held, index % HOLDERS)))
    process.send?.(calls.length)
  })
  process.send?.(0)
}
