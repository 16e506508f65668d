import type { VerifiedGrant } from '../grant/verified-grant.ts'

/** What the upstream learns of a grant. The proxy sets these on every request, over whatever the client sent. */
export const FORWARDED_FIELDS = [
  'hallpass-grant',
  'hallpass-task',
  'hallpass-agent',
  'hallpass-owner',
  'hallpass-subject',
  'hallpass-action',
  'hallpass-resource',
  'hallpass-event',
] as const

export type ForwardedFields = Readonly<Record<(typeof FORWARDED_FIELDS)[number], string>>

/** Ids and names, percent-encoded where they are not plain ASCII; never a token, never a parameter. */
export const forwardedFields = (grant: VerifiedGrant): ForwardedFields => ({
  'hallpass-grant': plain(grant.id),
  'hallpass-task': plain(grant.txn),
  'hallpass-agent': plain(grant.agent),
  'hallpass-owner': plain(grant.owner),
  'hallpass-subject': plain(grant.subject),
  'hallpass-action': plain(grant.action),
  'hallpass-resource': plain(grant.resource),
  'hallpass-event': plain(grant.event),
})

/** `%` too, so that what was encoded can be told from what was not. */
const plain = (value: string): string => value.replace(/[^\x21-\x24\x26-\x7e]/gu, (text) => encodeURIComponent(text))
