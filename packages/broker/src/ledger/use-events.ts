import type { AuditEvent, UseRecord } from '@hallpass/core'
import type { EventFacts } from '../audit/recorder.ts'
import type { Engine } from '../engine.ts'

/** Ids of what ends a use. One of each kind per use, so that what is told again is recognised. */
export const endIds = (event: string) => ({
  ended: `${event}-ended`,
  back: `${event}-back`,
  unknown: `${event}-unknown`,
})

/** What the events that end a use say of it. */
export function factsOf({ event, reservation, audience, txn, jti, clientId, action, resource }: UseRecord): EventFacts {
  return {
    aud: audience,
    txn,
    jti,
    client_id: clientId,
    action,
    ...(resource === undefined ? {} : { resource }),
    follows: event,
    data: { reservation },
  }
}

/** The start of a use out of its ledger's record, for a trail that lost it in a crash. Not what only the request said. */
export function recoveredStart({ event, reservation, audience, at, jkt, ...use }: UseRecord): AuditEvent {
  return {
    id: event,
    type: 'use.started',
    time: Math.round(at * 1000) / 1000,
    source: `verifier:${audience}`,
    txn: use.txn,
    jti: use.jti,
    client_id: use.clientId,
    aud: audience,
    action: use.action,
    ...(use.resource === undefined ? {} : { resource: use.resource }),
    ...(jkt === undefined ? {} : { jkt }),
    data: { reservation, recovered: true },
  }
}

const MARGIN_SECONDS = 120

/**
 * Which of the events of these uses are on record already, starts and ends. Where the trail cannot be asked, only what
 * it had at its end when it was opened is known, and what came since.
 */
export async function onRecord(engine: Engine, uses: readonly UseRecord[]): Promise<ReadonlySet<string>> {
  const ids = uses.flatMap(({ event }) => [event, ...Object.values(endIds(event))])
  const { source } = engine.recorder.stamp()
  const known = uses.flatMap(({ event, audience }) => {
    const own = [{ id: event, source: `verifier:${audience}` }]
    const ends = Object.values(endIds(event)).map((id) => ({ id, source }))
    return [...own, ...ends].filter((each) => engine.events.has(each)).map(({ id }) => id)
  })
  if (engine.audit.holds === undefined || ids.length === 0) return new Set(known)
  const since = Math.min(...uses.map(({ at }) => at)) - MARGIN_SECONDS
  return new Set([...known, ...(await engine.audit.holds(ids, since))])
}
