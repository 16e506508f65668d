import type { RefusalReason } from '../reason.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import type { TaskRecord } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import { LiveTask } from './live-task.ts'

/** Opens a task, or says why not; `maxOpenTasks` counts what the agent has open on the ledger's clock. */
export function openTask(
  store: LedgerStore,
  record: TaskRecord,
  { maxOpenTasks, incarnation }: { readonly maxOpenTasks: number; readonly incarnation: string },
): Result<TaskRecord, RefusalReason> {
  const now = store.tick()
  store.registers = true
  const { txn, clientId, owner, deadline } = record
  if (record.incarnation !== incarnation) return refuse('incarnation-mismatch')
  if (!(now < deadline)) return refuse('task-expired')
  if (!(deadline - now <= store.bounds.maxTaskSeconds)) return refuse('lifetime-exceeded')
  const stopped = store.stops.whyNotIssued({ clientId, owner, policyVersion: record.policy.version })
  if (stopped !== undefined) return refuse(stopped)
  if (store.tasks.has(txn)) return refuse('request-invalid', 'A task with this id exists')

  const open = store.agents.get(clientId)?.open
  // At most as many as the agent may have open, and only when it seems to have them all.
  if (open !== undefined && open.size >= maxOpenTasks) for (const task of open) store.expireIfOver(task, now)
  if (!((open?.size ?? 0) < maxOpenTasks)) return refuse('too-many-open-tasks')
  if (!store.hasRoomForTask()) return refuse('ledger-full')

  const task = new LiveTask(Object.freeze({ ...record }), store.agent(clientId))
  store.addTask(task)
  return ok(task.record)
}
