import type { AuditEvent } from './event.ts'

/**
 * Every member of an event with what it may hold. A member that is not here is never
 * written, so nothing a caller hangs on an event by accident reaches the trail.
 */
export const EVENT_MEMBERS = {
  id: 'text',
  type: 'text',
  time: 'number',
  source: 'text',
  txn: 'text',
  jti: 'text',
  client_id: 'text',
  sub: 'text',
  owner: 'text',
  purpose: 'text',
  note: 'text',
  aud: 'text',
  action: 'text',
  resource: 'text',
  reason: 'text',
  detail: 'text',
  rule: 'text',
  policy: 'json',
  limits: 'json',
  ttl: 'number',
  exp: 'number',
  jkt: 'text',
  parameters: 'text',
  facts: 'text',
  status: 'number',
  follows: 'text',
  call_id: 'text',
  trace: 'text',
  count: 'number',
  data: 'json',
} as const satisfies Record<keyof AuditEvent, 'text' | 'number' | 'json'>
