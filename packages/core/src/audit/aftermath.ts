import type { EventType } from './event.ts'

/**
 * Events that record what already happened or takes power away. Refusing them would undo nothing, so a trail that is
 * full or down keeps these in memory (bounded) and writes them when it can. Every other event is refused, and the
 * request with it. Refusals are not here: whoever sends bad requests must not fill the room that revocations need.
 */
const AFTERMATH: ReadonlySet<EventType> = new Set<EventType>([
  'task.ended',
  'grant.revoked',
  'grant.expired',
  'use.ended',
  'use.given-back',
  'use.unknown',
  'trigger.fired',
  'revocation.requested',
  'trail.checkpoint',
  'trail.recovered',
  'trail.vouched',
  'trail.gap',
])

/** True for an event that is spooled rather than refused while the trail is full or down. */
export const isAftermath = (type: EventType): boolean => AFTERMATH.has(type)
