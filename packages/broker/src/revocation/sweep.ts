import { sha256Base64url, type AuditEvent, type Swept } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { taskFacts } from '../grant/open-task.ts'
import { endIds, factsOf, onRecord, recoveredStart } from '../ledger/use-events.ts'

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

const idOf = (what: string, which: string): string => `ev_${sha256Base64url(`${what} ${which}`).slice(0, 22)}`

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
  const known = await onRecord(engine, uses)
  const starts = uses.filter(({ outbox, event }) => outbox && !known.has(event)).map(recoveredStart)
  const open = (use: (typeof uses)[number]): boolean => {
    const { ended, back, unknown } = endIds(use.event)
    return ![ended, back, unknown].some((id) => known.has(id))
  }
  const stamp = () => engine.recorder.stamp()
  return [
    ...starts,
    ...unknownUses
      .filter(open)
      .map((use): AuditEvent => ({ ...stamp(), type: 'use.unknown', ...factsOf(use), id: endIds(use.event).unknown })),
    ...releasedUses.filter(open).map((use): AuditEvent => ({
      ...stamp(),
      type: 'use.given-back',
      ...factsOf(use),
      id: endIds(use.event).back,
      detail: 'found in the ledger after a crash',
    })),
  ]
}
