import {
  isPromise,
  ok,
  refuse,
  type MaybePromise,
  type RefusalReason,
  type Result,
  type TaskState,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'

/** The task if it is open in this life of the ledger. */
export function liveTask(engine: Engine, txn: string): MaybePromise<Result<TaskState, RefusalReason>> {
  const task = engine.ledger.task(txn)
  return isPromise(task) ? task.then((known) => checkLive(engine, known)) : checkLive(engine, task)
}

function checkLive(engine: Engine, task: TaskState | undefined): Result<TaskState, RefusalReason> {
  if (task === undefined) return refuse('task-unknown')
  if (task.incarnation !== engine.ledger.incarnation) return refuse('incarnation-mismatch')
  if (task.end !== undefined) return refuse(task.end.how === 'expired' ? 'task-expired' : 'task-ended')
  return engine.clock() < task.deadline ? ok(task) : refuse('task-expired')
}
