import { sha256Base64url } from '@hallpass/core'
import { randomToken } from '#crypto'

const PLAIN = /^[A-Za-z0-9._:-]{1,128}$/

/** Id of a call: the caller's own, or a digest of it where it is not plain enough for a header, or a new one. */
export function callIdOf(given: string | undefined): string {
  if (given === undefined) return `call_${randomToken()}`
  return PLAIN.test(given) ? given : `call_${sha256Base64url(given)}`
}

/** `Idempotency-Key` as a structured-field string (draft-ietf-httpapi-idempotency-key-header). */
export const idempotencyHeader = (key: string): string => `"${key}"`

/** The key in a header somebody else wrote, with or without quotes. */
export const idempotencyKeyIn = (header: string): string => /^"(.*)"$/.exec(header)?.[1] ?? header
