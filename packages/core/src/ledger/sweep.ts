import type { Swept } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'

/** Forgets everything that is over and hands out what nobody was told of, or what nobody said was told. */
export function sweep(store: LedgerStore): Swept {
  const now = store.tick()
  store.forgetAll(now)
  const { receipt, tasks, grants, uses } = store.takeLapsed(now)
  const ofState = (released: boolean) => uses.filter(({ state }) => (state === 'released') === released)
  return {
    tasks: tasks.map((task) => task.state(now)),
    grants: grants.flatMap((grant) => grant.state(now) ?? []),
    unknownUses: ofState(false).map((use) => use.record()),
    releasedUses: ofState(true).map((use) => use.record()),
    receipt,
  }
}
