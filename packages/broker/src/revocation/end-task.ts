import type { RevocationEffect, TaskEnd, TaskState } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { taskFacts } from '../grant/open-task.ts'

export interface Ending {
  readonly how: TaskEnd
  readonly reason?: string
  /** Who ended it, for the trail. */
  readonly by: string
  /** W3C `traceparent` of the span it happens in. */
  readonly trace?: string
}

/**
 * Ends a task and kills every grant it holds, then tells the trail: this happens even when the trail cannot take it.
 * Returns the effect, or undefined when the task was not open.
 */
export async function endTask(
  engine: Engine,
  task: TaskState,
  { how, reason, by, ...span }: Ending,
): Promise<RevocationEffect | undefined> {
  const effect = await engine.ledger.endTask(task.txn, how, reason)
  if (effect === undefined) return undefined
  engine.tail.nudge()
  const ended = engine.recorder.note('task.ended', {
    ...taskFacts(task),
    reason: how,
    ...(reason === undefined ? {} : { detail: reason }),
    count: effect.grants.length,
    data: { by },
    ...span,
  })
  for (const { jti } of effect.grants) {
    engine.recorder.note('grant.revoked', { ...taskFacts(task), jti, reason: 'task-ended', follows: ended, ...span })
  }
  return effect
}
