import type { RefusalReason, Refused, Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'

const MAX_LENGTH = 255
const BAD: Refused<RefusalReason> = refuse(
  'request-malformed',
  'The Idempotency-Key is one string of at most 255 printable characters',
)

/**
 * Reads an `Idempotency-Key` field: a quoted string (RFC 8941, as the draft has it) or, as most clients send it, the
 * bare characters. Both forms of one key are the same key.
 */
export function readIdempotencyKey(field: string): Result<string, RefusalReason> {
  // Two quoted strings, which a web `Headers` joins, are not one.
  const quoted = /^"(?:[^"\\]|\\["\\])*"$/.test(field)
  const key = quoted ? field.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : field
  if (key.length > MAX_LENGTH || !/^[\x20-\x7E]+$/.test(key)) return BAD
  return quoted || !/[\s",]/.test(key) ? ok(key) : BAD
}
