import type { AuditEvent, Swept, UseRecord } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { taskFacts } from '../grant/open-task.ts'
import { type UseEnd, factsOf, hasEnd, idOf, onRecord, recoveredStart } from '../ledger/use-events.ts'

/**
 * Tells the trail what ran out: tasks past their deadline, grants that expired with uses left, uses without an outcome.
 * The ledger keeps telling of it until it is on record, on disk: then it is acknowledged. Each has an id of its own, so
 * that what was told and not acknowledged, by whichever broker, is on record once.
 */
export async function sweep(engine: Engine): Promise<void> {
  engine.traffic.flush()
  try {
    const swept = await engine.ledger.sweep()
    const events = [...(await useEvents(engine, swept)), ...taskAndGrantEvents(engine, swept)]
    if (events.length > 0) {
      await engine.events.merge(events)
      await engine.audit.flush()
    }
    await engine.ledger.acknowledge(swept.receipt)
  } finally {
    await engine.triggers.sweep()
    await engine.recorder.drain()
  }
}

function taskAndGrantEvents(engine: Engine, { tasks, grants }: Swept): AuditEvent[] {
  const stamp = (what: AuditEvent['type'], which: string) => ({
    ...engine.recorder.stamp(),
    id: idOf(what, which),
    type: what,
  })
  return [
    ...tasks.map((task) => ({ ...stamp('task.ended', task.txn), ...taskFacts(task), reason: 'expired' })),
    ...grants.map(({ jti, txn, clientId, owner, audience, action, resource, exp, usesLeft }) => ({
      ...stamp('grant.expired', jti),
      jti,
      txn,
      client_id: clientId,
      owner,
      aud: audience,
      action,
      resource,
      exp,
      count: usesLeft,
    })),
  ]
}

/** Starts that a crash kept out of the trail, and the end of each use that has none. */
async function useEvents(engine: Engine, { unknownUses, releasedUses }: Swept): Promise<AuditEvent[]> {
  const uses = [...unknownUses, ...releasedUses]
  // Nobody can end them any more: an outcome that comes now is read against the ledger.
  for (const { reservation } of uses) engine.openUses.close(reservation)
  const known = await onRecord(engine, uses)
  const starts = uses.filter((use) => use.outbox && !known.isStarted(use)).map(recoveredStart)
  const end = (type: UseEnd, use: UseRecord): AuditEvent => ({
    ...engine.recorder.stamp(),
    type,
    ...factsOf(use),
    id: idOf(type, use.reservation),
  })
  // Asked again: an end may have come while the trail was asked.
  const isOpen = (use: UseRecord): boolean => !known.isEnded(use) && !hasEnd(engine, use.reservation)
  return [
    ...starts,
    ...unknownUses.filter(isOpen).map((use) => end('use.unknown', use)),
    ...releasedUses
      .filter(isOpen)
      .map((use) => ({ ...end('use.given-back', use), detail: 'found in the ledger after a crash' })),
  ]
}
