import { must } from '../suite/must.ts'
import { fillLedger, there } from './fill-ledger.ts'
import type { FilledLedger, RegisteredGrant } from './fill-ledger.ts'

const BOUND = 500
const each = <T>(make: (index: number) => T): T[] => Array.from({ length: BOUND }, (_, index) => make(index))

/** Throws unless a ledger that is full of each kind refuses the next one, and still has every one that it had. */
export const mustRefuseWhenFull = {
  tasks() {
    const filled = fillLedger({ maxTasks: BOUND })
    const kept = each(() => there(filled.openTask()))
    must(filled.openTask() === undefined, 'the task after the last is refused')
    must(
      kept.every((task) => filled.register(task) !== undefined),
      'no task made room for it',
    )
  },
  grants() {
    const filled = fillLedger({ maxGrants: BOUND })
    const task = there(filled.openTask())
    const kept = each(() => there(filled.register(task)))
    must(filled.register(task) === undefined, 'the grant after the last is refused')
    must(
      kept.every((grant) => filled.redeem(grant).ok),
      'no grant made room for it',
    )
  },
  uses() {
    const filled = fillLedger({ maxUses: BOUND })
    const grant = there(filled.register(there(filled.openTask())))
    const first = each((index) => answer(filled, grant, `ev_${index}`))
    must(new Set(first).size === BOUND, 'as many uses as the bound says are taken')
    must(answer(filled, grant, 'ev_more') === 'ledger-full', 'the use after the last is refused')
    must(
      first.every((reservation, index) => answer(filled, grant, `ev_${index}`) === reservation),
      'no use made room for it: whoever sends one again gets the same answer',
    )
  },
  proofs() {
    const filled = fillLedger({ maxProofs: BOUND })
    const task = there(filled.openTask())
    const [grant, other] = [there(filled.register(task)), there(filled.register(task))]
    const first = each((index) => answer(filled, grant, `ev_${index}`))
    must(new Set(first).size === BOUND, 'as many proofs as the bound says are taken')
    must(answer(filled, other, 'ev_more') === 'ledger-full', 'the proof after the last is refused')
    must(
      first.every((_, index) => answer(filled, other, `ev_${index}`) === 'proof-replayed'),
      'no mark made room for it',
    )
  },
} as const

function answer(filled: FilledLedger, grant: RegisteredGrant, attempt: string): string {
  const given = filled.redeem(grant, attempt)
  if (!given.ok) return given.reason
  return given.state === 'first' ? given.reservation : given.state
}
