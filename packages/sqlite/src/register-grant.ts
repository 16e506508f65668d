import type { GrantRecord, RefusalReason, Refused, Result } from '@hallpass/core'
import { MAX_TTL_SECONDS, ok, refuse, whyNotCounted } from '@hallpass/core'
import { charge, countsOther, isOwnCalls, startCounters } from './counters.ts'
import type { Write } from './life.ts'
import { toSeconds, toUs } from './life.ts'
import type { TaskRow } from './rows.ts'
import { whyOver } from './rows.ts'
import { whyStopped } from './stops.ts'

/** Makes a grant known, so that its token may leave the broker; or says why it must not. */
export function registerGrant(
  write: Write,
  record: GrantRecord,
  maxSkewSeconds: number,
): Result<GrantRecord, RefusalReason> {
  const { file } = write
  if (record.incarnation !== write.incarnation) return refuse('incarnation-mismatch')
  const task = file.get<TaskRow>('SELECT * FROM hallpass_task WHERE txn = ?', record.txn)
  if (task === undefined) return refuse('task-unknown')
  const refusal =
    whyNotIssued(write, { record, task }, maxSkewSeconds) ?? whyNotCounted(record) ?? whyOther(write, record)
  if (refusal !== undefined) return refusal
  if (file.get('SELECT 1 FROM hallpass_grant WHERE jti = ?', record.jti) !== undefined) {
    return refuse('request-invalid', 'A grant with this id exists')
  }

  const { chargeAtIssue, limits } = record
  if (chargeAtIssue !== undefined) {
    const charged = charge(write, { limits: chargeAtIssue.limits, used: 0 }, { holders: record, ...chargeAtIssue })
    if ('ok' in charged) return refuse(charged.reason, `Limit ${charged.limit} does not allow this grant`)
  }
  startCounters(write, limits, record)
  insertGrant(write, record)
  file.run('UPDATE hallpass_task SET grants_issued = grants_issued + 1 WHERE txn = ?', record.txn)
  return ok(record)
}

function whyNotIssued(
  write: Write,
  { record, task }: { readonly record: GrantRecord; readonly task: TaskRow },
  maxSkewSeconds: number,
): Refused<RefusalReason> | undefined {
  const { clientId, owner, audience, action, policy, iat, exp } = record
  const now = toSeconds(write.now)
  if (clientId !== task.client_id || owner !== task.owner) {
    return refuse('request-invalid', 'The grant names another agent or owner than its task')
  }
  if (task.incarnation !== write.incarnation) return refuse('incarnation-mismatch')
  const over = whyOver(task, write.now)
  if (over !== undefined) return refuse(over)
  const stopped = whyStopped(write, { clientId, owner, policyVersion: policy.version, api: { audience, action } })
  if (stopped !== undefined) return refuse(stopped)
  if (!(now < exp)) return refuse('token-expired')
  if (!(iat <= now + maxSkewSeconds)) return refuse('not-yet-valid')
  if (!(toUs(exp) <= task.deadline_us && exp - iat <= MAX_TTL_SECONDS)) return refuse('lifetime-exceeded')
  return undefined
}

/** Refuses a limit whose counter adds up something else already. */
function whyOther(write: Write, record: GrantRecord): Refused<RefusalReason> | undefined {
  const limits = [...record.limits, ...(record.chargeAtIssue?.limits ?? [])]
  const other = limits.find((limit) => countsOther(write, limit, record))
  return other && refuse('details-invalid', `Limit ${other.id} already counts another parameter, scale or unit`)
}

function insertGrant({ file }: Write, record: GrantRecord): void {
  const { limits } = record
  const ownCalls = limits.filter((limit) => isOwnCalls(limit))
  file.run(
    `INSERT INTO hallpass_grant (jti, issuer, txn, client_id, audience, action, resource, policy_version, iat_us, exp_us,
      jkt, calls_max, charges, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    record.jti,
    record.issuer,
    record.txn,
    record.clientId,
    record.audience,
    record.action,
    record.resource,
    record.policy.version,
    toUs(record.iat),
    toUs(record.exp),
    record.jkt ?? null,
    Math.min(...ownCalls.map(({ max }) => max)),
    ownCalls.length === limits.length ? null : JSON.stringify(limits),
    JSON.stringify(record),
  )
}
