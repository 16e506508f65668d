import type { Engine } from '../engine.ts'
import { taskFacts } from '../grant/open-task.ts'

/** Tells the trail what ran out: tasks past their deadline, grants that expired with uses left, uses without an outcome. */
export async function sweep(engine: Engine): Promise<void> {
  engine.traffic.flush()
  const { tasks, grants, unknownUses } = await engine.ledger.sweep()
  for (const task of tasks) engine.recorder.note('task.ended', { ...taskFacts(task), reason: 'expired' })
  for (const { jti, txn, clientId, owner, audience, action, resource, exp, usesLeft } of grants) {
    engine.recorder.note('grant.expired', {
      jti,
      txn,
      client_id: clientId,
      owner,
      aud: audience,
      action,
      resource,
      exp,
      count: usesLeft,
    })
  }
  for (const { event, jti, txn } of unknownUses) engine.recorder.note('use.unknown', { jti, txn, follows: event })
  await engine.triggers.sweep()
  await engine.recorder.drain()
}
