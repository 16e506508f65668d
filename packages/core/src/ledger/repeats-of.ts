import type { RefusalReason } from '../reason.ts'
import type { RedeemRequest } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import type { LiveGrant } from './live-grant.ts'
import { SignedTask } from './signed-task.ts'
import { Repeats } from './use.ts'

/** Where a retry is looked up: by task and audience, across grants. A reason when it cannot be remembered there. */
export function repeatsOf(store: LedgerStore, grant: LiveGrant, request: RedeemRequest): Repeats | RefusalReason {
  if (grant.repeats !== undefined) return grant.repeats
  const task = grant.task ?? signedTask(store, request)
  if (typeof task === 'string') return task
  let repeats = task.repeats.get(request.audience)
  if (repeats === undefined) task.repeats.set(request.audience, (repeats = new Repeats()))
  grant.repeats = repeats
  return repeats
}

function signedTask(store: LedgerStore, request: RedeemRequest): SignedTask | RefusalReason {
  const { issuer, txn, iat, exp, deadline } = request
  let home = store.signedTasks.get(issuer)
  if (home === undefined) store.signedTasks.set(issuer, (home = new Map()))
  const known = home.get(txn)
  // The task was opened before its grant was issued, so it is over by then whatever its deadline.
  const latest = iat + store.bounds.maxTaskSeconds
  const end = known?.end ?? Math.min(deadline ?? latest, latest)
  // A grant that outlives what is remembered could repeat a use unseen.
  if (exp > end) return 'lifetime-exceeded'
  if (known !== undefined) return known
  if (!store.hasRoomForSignedTask()) return 'ledger-full'
  const task = new SignedTask(request, end)
  store.addSignedTask(task, home)
  return task
}
