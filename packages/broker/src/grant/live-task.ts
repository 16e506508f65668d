import { ok, refuse, type RefusalReason, type Result, type TaskState } from '@hallpass/core'
import type { Engine } from '../engine.ts'

/** The task if it is open in this life of the ledger. */
export async function liveTask(engine: Engine, txn: string): Promise<Result<TaskState, RefusalReason>> {
  const task = await engine.ledger.task(txn)
  if (task === undefined) return refuse('task-unknown')
  if (task.incarnation !== engine.ledger.incarnation) return refuse('incarnation-mismatch')
  if (task.end !== undefined) return refuse(task.end.how === 'expired' ? 'task-expired' : 'task-ended')
  return engine.clock() < task.deadline ? ok(task) : refuse('task-expired')
}
