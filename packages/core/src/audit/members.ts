import type { AuditEvent } from './event.ts'

/**
 * Every member of an event with what it may hold. A member that is not here is never
 * written, so nothing a caller hangs on an event by accident reaches the trail. A `name` is a text that many events share.
 */
export const EVENT_MEMBERS = {
  id: 'text',
  type: 'name',
  time: 'number',
  source: 'name',
  txn: 'name',
  jti: 'text',
  client_id: 'name',
  sub: 'name',
  owner: 'name',
  purpose: 'name',
  note: 'text',
  aud: 'name',
  action: 'name',
  resource: 'text',
  reason: 'name',
  detail: 'text',
  rule: 'name',
  policy: 'json',
  limits: 'json',
  ttl: 'number',
  exp: 'number',
  jkt: 'name',
  parameters: 'text',
  facts: 'text',
  status: 'number',
  follows: 'text',
  call_id: 'text',
  trace: 'text',
  count: 'number',
  data: 'json',
  origin: 'json',
} as const satisfies Record<keyof AuditEvent, 'name' | 'text' | 'number' | 'json'>
