import { HallpassError, type RevocationEffect, type RevocationTarget } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import type { EventFacts } from '../audit/recorder.ts'

export interface RevokeOptions {
  /** Says what would be killed, and kills nothing. */
  readonly dryRun?: boolean
}

export interface Revoked extends RevocationEffect {
  /** The event in the trail that everything killed by it follows; absent for a dry run. */
  readonly event?: string
}

export interface Order {
  readonly target: RevocationTarget
  readonly reason: string
  /** Who wants it, for the trail. */
  readonly by: string
  /** W3C `traceparent` of the span it is ordered in. */
  readonly trace?: string
}

/**
 * Revokes by grant, task, agent, owner, action, policy version, or everything. The ledger stops issuing for the target
 * before it kills; the promise resolves when everything is dead. It acts even when the trail cannot take it.
 */
export async function revoke(engine: Engine, order: Order, { dryRun = false }: RevokeOptions): Promise<Revoked> {
  if (dryRun) return engine.ledger.revoke(order.target, order.reason, { dryRun: true })
  if (engine.telemetry === undefined) return carryOut(engine, order)
  const span = engine.telemetry.telemetry.span('hallpass.revocation', {
    parent: order.trace,
    attributes: { 'hallpass.target': order.target.kind },
  })
  try {
    const { traceparent: trace = order.trace } = span
    const revoked = await span.run(() => carryOut(engine, trace === undefined ? order : { ...order, trace }))
    const { tasks, grants, event } = revoked
    span.set({
      'hallpass.revoked.tasks': tasks.length,
      'hallpass.revoked.grants': grants.length,
      'hallpass.event.id': event,
    })
    return revoked
  } catch (fault) {
    span.set({ 'error.type': fault instanceof HallpassError ? fault.code : '_OTHER' })
    throw fault
  } finally {
    span.end()
  }
}

async function carryOut(engine: Engine, { target, reason, by, ...span }: Order): Promise<Revoked> {
  const event = engine.recorder.note('revocation.requested', {
    ...targetFacts(target),
    reason,
    data: { target: { ...target }, by },
    ...span,
  })
  const effect = await engine.ledger.revoke(target, reason)
  engine.tail.nudge()
  for (const txn of effect.tasks) {
    const task = await engine.ledger.task(txn)
    engine.recorder.note('task.ended', {
      txn,
      ...(task === undefined ? {} : { client_id: task.clientId, owner: task.owner, purpose: task.purpose }),
      reason: 'revoked',
      detail: reason,
      follows: event,
      ...span,
    })
  }
  for (const { jti, txn } of effect.grants)
    engine.recorder.note('grant.revoked', { txn, jti, reason, follows: event, ...span })
  return { ...effect, event }
}

/** Lets an agent, owner, action, policy version or everything go on; what was killed stays dead. False when nothing was stopped. */
export async function resume(engine: Engine, { target, reason, by, ...span }: Order): Promise<boolean> {
  // Giving power back must be on record first, unlike taking it away.
  await engine.recorder.record('revocation.lifted', {
    ...targetFacts(target),
    reason,
    data: { target: { ...target }, by },
    ...span,
  })
  const lifted = await engine.ledger.resume(target, reason)
  engine.tail.nudge()
  return lifted
}

function targetFacts(target: RevocationTarget): EventFacts {
  switch (target.kind) {
    case 'grant':
      return { jti: target.jti }
    case 'task':
      return { txn: target.txn }
    case 'agent':
      return { client_id: target.clientId }
    case 'owner':
      return { owner: target.owner }
    case 'action':
      return { aud: target.audience, action: target.action }
    case 'policy-version':
    case 'everything':
      break
  }
  return {}
}
