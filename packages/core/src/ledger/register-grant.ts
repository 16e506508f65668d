import type { Limit } from '../grant/entry.ts'
import type { RefusalReason } from '../reason.ts'
import type { Refused, Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { MAX_TTL_SECONDS } from '../token/constants.ts'
import { Charges } from './charges.ts'
import { whyNotCounted } from './check-limits.ts'
import { Counter } from './counter.ts'
import type { GrantRecord } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import { LiveGrant } from './live-grant.ts'
import type { LiveTask } from './live-task.ts'

/** Makes a grant known, so that its token may leave the broker; or says why it must not. */
export function registerGrant(
  store: LedgerStore,
  record: GrantRecord,
  incarnation: string,
): Result<GrantRecord, RefusalReason> {
  const now = store.tick()
  store.registers = true
  if (record.incarnation !== incarnation) return refuse('incarnation-mismatch')
  const task = store.tasks.get(record.txn)
  if (task === undefined) return refuse('task-unknown')
  const refusal = whyNotIssued(store, { record, task }, now) ?? whyNotCounted(record) ?? clashOf(record, task)
  if (refusal !== undefined) return refusal
  if (store.grants.has(record.jti)) return refuse('request-invalid', 'A grant with this id exists')
  if (!store.hasRoomForGrant()) return refuse('ledger-full')

  const { chargeAtIssue } = record
  if (chargeAtIssue !== undefined) {
    const { amounts, uses } = chargeAtIssue
    const atIssue = new Charges(chargeAtIssue.limits.map((limit) => ({ limit, counter: task.counter(limit) })))
    const unfit = atIssue.whyUnfit(amounts, uses, now)
    if (unfit !== undefined) return refuse(unfit.reason, `Limit ${unfit.limit} does not allow this grant`)
    atIssue.charge(amounts, uses, now)
  }

  const kept = { ...record }
  const grant = new LiveGrant(kept, chargesOf(record.limits, task), { record: kept, task })
  store.addGrant(grant, store.grants)
  task.grants.add(grant)
  task.grantsIssued += 1
  return ok(record)
}

function whyNotIssued(
  store: LedgerStore,
  { record, task }: { readonly record: GrantRecord; readonly task: LiveTask },
  now: number,
): Refused<RefusalReason> | undefined {
  const { clientId, owner, audience, action, policy, iat, exp } = record
  if (clientId !== task.record.clientId || owner !== task.record.owner) {
    return refuse('request-invalid', 'The grant names another agent or owner than its task')
  }
  store.expireIfOver(task, now)
  const over = task.whyOver(now)
  if (over !== undefined) return refuse(over)
  const api = { audience, action }
  const stopped = store.stops.whyNotIssued({ clientId, owner, policyVersion: policy.version, api })
  if (stopped !== undefined) return refuse(stopped)
  if (!(now < exp)) return refuse('token-expired')
  if (!(iat <= now + store.bounds.maxSkewSeconds)) return refuse('not-yet-valid')
  if (!(exp <= task.record.deadline && exp - iat <= MAX_TTL_SECONDS)) return refuse('lifetime-exceeded')
  return undefined
}

/** Refuses a limit whose counter adds up something else already. */
function clashOf({ limits, chargeAtIssue }: GrantRecord, task: LiveTask): Refused<RefusalReason> | undefined {
  const isOther = (limit: Limit): boolean => task.knownCounter(limit)?.counts(limit) === false
  const other = limits.find(isOther) ?? chargeAtIssue?.limits.find(isOther)
  return other && refuse('details-invalid', `Limit ${other.id} already counts another parameter, scale or unit`)
}

const chargesOf = (limits: readonly Limit[], task: LiveTask): Charges =>
  new Charges(
    limits.map((limit) => ({
      // A frozen one is nobody's to change; policies hand out the same ones again and again.
      limit: Object.isFrozen(limit) ? limit : { ...limit },
      counter: limit.per === 'grant' ? new Counter(limit) : task.counter(limit),
    })),
  )
