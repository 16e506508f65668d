import type { RefusalReason, Result, TaskRecord } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import type { Write } from './life.ts'
import { toSeconds, toUs } from './life.ts'
import { whyStopped } from './stops.ts'

/** Opens a task, or says why not; `maxOpenTasks` counts what the agent has open on the ledger's clock. */
export function openTask(
  write: Write,
  record: TaskRecord,
  { maxOpenTasks, maxTaskSeconds }: { readonly maxOpenTasks: number; readonly maxTaskSeconds: number },
): Result<TaskRecord, RefusalReason> {
  const { file, incarnation } = write
  const { txn, clientId, owner, deadline } = record
  const now = toSeconds(write.now)
  if (record.incarnation !== incarnation) return refuse('incarnation-mismatch')
  if (!(now < deadline)) return refuse('task-expired')
  if (!(deadline - now <= maxTaskSeconds)) return refuse('lifetime-exceeded')
  const stopped = whyStopped(write, { clientId, owner, policyVersion: record.policy.version })
  if (stopped !== undefined) return refuse(stopped)
  if (file.get('SELECT 1 FROM hallpass_task WHERE txn = ?', txn) !== undefined) {
    return refuse('request-invalid', 'A task with this id exists')
  }
  const open = file.get<{ count: number }>(
    `SELECT count(*) AS count FROM hallpass_task
      WHERE client_id = ? AND end_how IS NULL AND deadline_us > ? AND incarnation = ?`,
    clientId,
    write.now,
    incarnation,
  )
  if (!((open?.count ?? 0) < maxOpenTasks)) return refuse('too-many-open-tasks')
  file.run(
    `INSERT INTO hallpass_task (txn, client_id, owner, policy_version, deadline_us, incarnation, record)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    txn,
    clientId,
    owner,
    record.policy.version,
    toUs(deadline),
    incarnation,
    JSON.stringify(record),
  )
  return ok(record)
}
