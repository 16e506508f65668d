import { sha256Base64url, type AuditEvent, type UseRecord } from '@hallpass/core'
import type { EventFacts } from '../audit/recorder.ts'
import type { Engine } from '../engine.ts'

type EventName = Pick<AuditEvent, 'id' | 'source'>
export type UseEnd = 'use.ended' | 'use.given-back' | 'use.unknown'
const ENDS: readonly UseEnd[] = ['use.ended', 'use.given-back', 'use.unknown']

/** An id that is the same whoever tells of it, how often, so that it is on record once. */
export const idOf = (type: AuditEvent['type'], which: string): string =>
  `ev_${sha256Base64url(`${type} ${which}`).slice(0, 22)}`

/** Whether an end of this use is on record, as far as this broker remembers. By the reservation: an event's id is anybody's. */
export function hasEnd(engine: Engine, reservation: string, among: readonly UseEnd[] = ENDS): boolean {
  const { source } = engine.recorder.stamp()
  return among.some((type) => engine.events.has({ id: idOf(type, reservation), source }))
}

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
 * Which starts and ends of these uses are on record already. Where the trail cannot be asked, only what it had at its end
 * when it was opened is known, and what came since.
 */
export async function onRecord(engine: Engine, uses: readonly UseRecord[]): Promise<OnRecord> {
  const { source } = engine.recorder.stamp()
  const startOf = ({ event, audience }: UseRecord): EventName => ({ id: event, source: `verifier:${audience}` })
  const endsOf = ({ reservation }: UseRecord) => ENDS.map((type) => ({ id: idOf(type, reservation), source }))
  const since = Math.min(...uses.map(({ at }) => at)) - MARGIN_SECONDS
  const asked = uses.flatMap((use) => [startOf(use), ...endsOf(use)])
  const held = asked.length === 0 ? [] : ((await engine.audit.holds?.(asked, since)) ?? [])
  engine.events.know(held)
  const known = new Set(held.map(keyOf))
  const isKnown = (name: EventName): boolean => known.has(keyOf(name)) || engine.events.has(name)
  return { isStarted: (use) => isKnown(startOf(use)), isEnded: (use) => endsOf(use).some(isKnown) }
}

interface OnRecord {
  isStarted(use: UseRecord): boolean
  isEnded(use: UseRecord): boolean
}

const keyOf = ({ id, source }: EventName): string => `${id} ${source}`
