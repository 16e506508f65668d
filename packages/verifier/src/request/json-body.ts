import type { JsonValue, RefusalReason, Refused, Result } from '@hallpass/core'
import { ok, parseStrictJson, refuse, sha256Base64 } from '@hallpass/core'
import type { RequestFields } from './request-fields.ts'

const ENCODED: Refused<RefusalReason> = refuse('body-unsupported', 'A body with a content encoding is not read')
const NOT_JSON: Refused<RefusalReason> = refuse('body-unsupported', 'A body is JSON, or it is not read')
const BAD_JSON: Refused<RefusalReason> = refuse('request-malformed', 'The body is not strict JSON')
const DIGEST_DIFFERS: Refused<RefusalReason> = refuse('proof-body', 'The Content-Digest field is not of this body')

/**
 * Whether a body under these header fields would be read at all: JSON, and nothing that has to be decoded first, since
 * what the proof covers are the bytes that arrived.
 */
export function checkBodyFields(fields: RequestFields): Refused<RefusalReason> | undefined {
  const { contentType, contentEncoding, transferEncoding } = fields
  // Node takes chunks off, and leaves any other coding of the transfer on.
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') return ENCODED
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') return ENCODED
  return isJson(contentType) ? undefined : NOT_JSON
}

/** `application/json` and every `+json`, UTF-8, which is the only encoding JSON has between systems (RFC 8259 section 8.1). */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false
  const semicolon = contentType.indexOf(';')
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
  const known = type === 'application/json' || (type.startsWith('application/') && type.endsWith('+json'))
  return known && (semicolon < 0 || saysUtf8(contentType.slice(semicolon + 1)))
}

/** Whether no parameter of a media type speaks of another charset; whoever repeats or encodes it means to be misread. */
function saysUtf8(parameters: string): boolean {
  const charsets = parameters
    .toLowerCase()
    .split(';')
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter.includes('charset'))
  return charsets.length === 0 || (charsets.length === 1 && /^charset=(?:utf-8|"utf-8")$/.test(charsets[0] ?? ''))
}

/**
 * Parses a raw body once, as I-JSON. A `Content-Digest` field, where there is one, must agree (RFC 9530); it is not
 * evidence of anything, the digest under the proof is.
 */
export function parseBody(body: Uint8Array, fields: RequestFields): Result<JsonValue, RefusalReason> {
  const { contentDigest } = fields
  if (contentDigest !== undefined && !contentDigest.split(',').some((member) => agrees(member.trim(), body))) {
    return DIGEST_DIFFERS
  }
  const parsed = parseStrictJson(body)
  return parsed.ok ? ok(parsed.value) : BAD_JSON
}

const agrees = (member: string, body: Uint8Array): boolean => member === `sha-256=:${sha256Base64(body)}:`
