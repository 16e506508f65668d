import type { RefusalReason, Refused } from '@hallpass/core'
import { refuse, requestUrl } from '@hallpass/core'
import { checkBodyFields, parseBody } from '../request/json-body.ts'
import type { CredentialRules } from '../request/credential.ts'
import { findCredential } from '../request/credential.ts'
import { readFields } from '../request/request-fields.ts'
import type { BareCall } from '../token/bare-call.ts'
import { isSameCall } from '../token/bare-call.ts'
import type { GenuineToken } from '../token/genuine-token.ts'
import { chain } from './chain.ts'
import type { Attempt, Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'

const FIELD_REPEATED: Refused<RefusalReason> = refuse(
  'request-malformed',
  'A header field that stands once stood twice',
)
const WEBSOCKET: Refused<RefusalReason> = refuse(
  'request-malformed',
  'A WebSocket outlives the grant it was opened with',
)
const BODY_ON_READ: Refused<RefusalReason> = refuse('request-malformed', 'A GET or HEAD request has no body')

/** Reads the header fields, and finds the one credential: nothing else is looked at without one. */
export function oneCredential(rules: Omit<CredentialRules, 'sharesRoute'>): Step {
  const alone: CredentialRules = { ...rules, sharesRoute: false }
  const shared: CredentialRules = { ...rules, sharesRoute: true }
  return (attempt) => {
    const { target, headers } = attempt.call
    const fields = readFields(headers)
    attempt.fields = fields
    const question = target.indexOf('?')
    // Also a target that cannot be read shows whether it carries a token.
    if (question >= 0) attempt.query = target.slice(question + 1)
    const found = findCredential(fields, attempt.query, attempt.sharesRoute ? shared : alone)
    if (!found.ok) return found
    if (fields.repeated !== undefined) return FIELD_REPEATED
    if (fields.upgrade !== undefined && /websocket/i.test(fields.upgrade)) return WEBSOCKET
    attempt.credential = found.value
    return undefined
  }
}

/**
 * Where the request goes: scheme, host and prefix by configuration, path and query from the request line, nothing from
 * `Host` (RFC 9449 section 4.3, step 9).
 */
export function ownAddress(publicUrl: string): Step {
  const { origin, pathname } = new URL(publicUrl)
  const prefix = pathname.replace(/\/$/, '')
  return (attempt) => {
    const { token, call } = attempt
    const known = token === undefined || attempt.json !== undefined ? undefined : knownCall(token, attempt)
    if (known !== undefined) {
      attempt.url = known.url
      attempt.known = known
      return undefined
    }
    const read = requestUrl(origin, call.target)
    if (!read.ok) return read
    const { url, path, query } = read.value
    // Routes may be mounted under the public prefix, or stand behind a proxy that takes it off.
    const isUnder = prefix !== '' && (path === prefix || path.startsWith(`${prefix}/`))
    attempt.url = prefix === '' ? url : origin + (isUnder ? path : prefix + path)
    attempt.path = isUnder ? path.slice(prefix.length) : path
    attempt.query = query
    return undefined
  }
}

/** The same call, held against this grant before. */
function knownCall({ bare, barred }: GenuineToken, attempt: Attempt): BareCall | undefined {
  if (bare !== undefined && isSameCall(bare, attempt)) return bare
  return barred !== undefined && isSameCall(barred, attempt) ? barred : undefined
}

/** Refuses a body by its header fields alone, before a byte of it is read. */
export const plainBody: Step = ({ call, fields, planned }) => {
  if (fields === undefined) return OUT_OF_ORDER
  if (call.body === undefined) return undefined
  if (isRead(call.method)) return undefined
  return planned.template === undefined ? undefined : checkBodyFields(fields)
}

/** Reads the raw body, once, and parses it strictly, once: what comes out is what is checked and what the handler gets. */
export const readBody =
  (limitBytes: number, timeoutMs: number): Step =>
  (attempt) => {
    const { call, fields } = attempt
    if (fields === undefined) return OUT_OF_ORDER
    if (call.body === undefined) return undefined
    const withoutBody = isRead(call.method)
    return chain(call.body(withoutBody ? 0 : limitBytes, timeoutMs), (read) => {
      if (!read.ok) return withoutBody ? BODY_ON_READ : read
      if (read.value === undefined || read.value.length === 0) return undefined
      if (withoutBody) return BODY_ON_READ
      attempt.body = read.value
      const parsed = parseBody(read.value, fields)
      if (!parsed.ok) return parsed
      attempt.json = parsed.value
      return undefined
    })
  }

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'
