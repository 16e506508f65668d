import {
  DETAIL_TYPE,
  isJsonObject,
  parseStrictJson,
  parseTaskEntry,
  parseToolCallRequest,
  type JsonObject,
  type JsonValue,
  type TaskEntry,
  type ToolCallRequest,
} from '@hallpass/core'
import { reject, type Refusal, type Step } from '../http/refusal.ts'
import type { Form } from '../http/form.ts'

/** What `authorization_details` asks for (RFC 9396). */
export type Details =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly entry: TaskEntry }
  | { readonly kind: 'renew'; readonly txn: string }
  | { readonly kind: 'call'; readonly request: ToolCallRequest; readonly purpose?: string }

/** Reads `authorization_details` strictly: exactly one entry, of a known type, with known members. */
export function readDetails(form: Form): Step<Details> {
  const text = form.get('authorization_details')
  if (text === undefined) return { ok: true, value: { kind: 'none' } }
  const parsed = parseStrictJson(text)
  if (!parsed.ok) return invalid('not strict JSON')
  const list = parsed.value
  const entry: JsonValue | undefined = Array.isArray(list) && list.length === 1 ? (list[0] as JsonValue) : undefined
  if (!isJsonObject(entry)) return invalid('not an array of exactly one object')
  if (entry['type'] === DETAIL_TYPE.task) return readTask(entry)
  if (entry['type'] === DETAIL_TYPE.toolCall) return readCall(entry)
  return invalid('unknown type')
}

function readTask(entry: JsonObject): Step<Details> {
  const { txn } = entry
  if (Object.hasOwn(entry, 'txn')) {
    if (Object.keys(entry).length !== 2 || typeof txn !== 'string')
      return invalid('a renewal names its task and nothing else')
    return { ok: true, value: { kind: 'renew', txn } }
  }
  const parsed = parseTaskEntry(entry)
  return parsed.ok
    ? { ok: true, value: { kind: 'open', entry: parsed.value } }
    : reject('invalid_authorization_details', parsed)
}

/** `purpose` is a member of its own only here: it names the task that a single call opens for itself. */
function readCall(entry: JsonObject): Step<Details> {
  if (!Object.hasOwn(entry, 'purpose')) {
    const parsed = parseToolCallRequest(entry)
    return parsed.ok
      ? { ok: true, value: { kind: 'call', request: parsed.value } }
      : reject('invalid_authorization_details', parsed)
  }
  const { purpose, ...rest } = entry
  const parsed = parseToolCallRequest(rest)
  if (!parsed.ok) return reject('invalid_authorization_details', parsed)
  if (typeof purpose !== 'string' || purpose === '') return invalid('purpose')
  return { ok: true, value: { kind: 'call', request: parsed.value, purpose } }
}

const invalid = (detail: string): Refusal =>
  reject('invalid_authorization_details', { reason: 'details-invalid', detail })
