import { bareVerify } from '../baseline/bare-crypto.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { guardOrders } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import { createPresenter } from '../world/presenter.ts'
import type { Presenter } from '../world/presenter.ts'
import type { Entry, Suite } from './suite.ts'
import { checkVerifier } from './verify-checks.ts'
import { chained, cold, expired, forged, outOfScope, warm } from './verify-works.ts'

const HOLDERS = 64

const row = (id: string, aim: number | null, work: string): RowAim => ({
  id,
  aim,
  better: 'lower',
  measure: 'cpu',
  baseline: 'ES256 verify',
  work,
})

interface Kind {
  readonly row: RowAim
  readonly keys: number | 'new' | 'none'
  readonly chained?: true
  readonly work: (orders: GuardedOrders, presenter: Presenter) => Work
}

const kinds: readonly Kind[] = [
  {
    row: row('verify.warm.bearer', 0.02, 'every check, memory redeem, two events, settle; token seen before'),
    keys: 'none',
    work: warm,
  },
  {
    row: row('verify.warm.bearer.chained', null, 'the same, both events hash-chained into a file'),
    keys: 'none',
    chained: true,
    work: warm,
  },
  { row: row('verify.cold.bearer', 1.2, 'the same with a token never seen'), keys: 'none', work: cold },
  {
    row: row('verify.warm.dpop', 1.2, 'token and key seen before, fresh proof, replay mark'),
    keys: HOLDERS,
    work: warm,
  },
  {
    row: row('verify.warm.dpop.chained', null, 'the same, both events hash-chained into a file'),
    keys: HOLDERS,
    chained: true,
    work: warm,
  },
  { row: row('verify.cold.dpop', 2.5, 'token never seen, key seen before'), keys: HOLDERS, work: cold },
  { row: row('verify.cold.dpop.newkey', 4, 'token and key never seen'), keys: 'new', work: cold },
  { row: row('deny.warm', 0.02, 'token seen before, for another resource or action'), keys: 'none', work: outOfScope },
  { row: row('deny.expired', 0.1, 'expired, with a good proof'), keys: HOLDERS, work: expired },
  { row: row('deny.forged', 1.3, 'good shape, bad signature, with a good proof'), keys: HOLDERS, work: forged },
]

export const verify: Suite = {
  rows: kinds.map((kind) => kind.row),
  open: async (chosen) => {
    const issuer = createBenchIssuer()
    const baseline = bareVerify(issuer.key, createPresenter(issuer, 1).hold().grant.token)
    const trail = openBenchTrail()
    const orders = guardOrders(issuer, trail)
    const entries = kinds
      .filter(({ row: { id } }) => chosen.has(id))
      .map(({ row: { id }, keys, chained: isChained, work }): Entry => {
        const presenter = createPresenter(issuer, keys)
        const made = work(orders, presenter)
        const check = async (): Promise<void> => checkVerifier(orders, presenter)
        return { id, check, work: isChained === true ? chained(orders, made) : made, baseline }
      })
    return { entries, close: () => trail.close() }
  },
}
