import type { AuditEvent } from '@hallpass/core'
import { AGENT, OWNER } from './grant.ts'
import { AUDIENCE } from './orders-api.ts'

let events = 0

/** The event that every request leaves behind, each with an id of its own. */
export function useStarted(time: number): AuditEvent {
  events += 1
  return {
    id: `ev_${events.toString(36).padStart(22, '0')}`,
    type: 'use.started',
    time,
    source: `verifier:${AUDIENCE}#1`,
    txn: 'tsk_AAAAAAAAAAAAAAAAAAAAAA',
    jti: 'gr_AAAAAAAAAAAAAAAAAAAAAA',
    client_id: AGENT,
    owner: OWNER,
    aud: AUDIENCE,
    action: 'order.read',
    resource: 'order:123',
  }
}
