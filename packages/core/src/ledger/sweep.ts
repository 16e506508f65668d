import type { Swept } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'

/** Forgets everything that is over and hands out, once, what nobody was told of. */
export function sweep(store: LedgerStore): Swept {
  const now = store.tick()
  store.forgetAll(now)
  const { tasks, grants, uses } = store.takeLapsed()
  return {
    tasks: tasks.map((task) => task.state(now)),
    grants: grants.flatMap((grant) => grant.state(now) ?? []),
    unknownUses: uses.map(({ event, grant }) => ({ event, jti: grant.facts.jti, txn: grant.facts.txn })),
  }
}
