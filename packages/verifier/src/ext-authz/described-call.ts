import { isJsonObject, ok, parseStrictJson, refuse } from '@hallpass/core'
import type { JsonObject, JsonValue, RefusalReason, Result } from '@hallpass/core'
import type { IncomingCall } from '../request/incoming-call.ts'

type Read<T> = Result<T, RefusalReason>

const bad = (detail: string): Read<never> => refuse('request-malformed', detail)
const MAX_FIELDS = 200

/** A request somebody else received, told as JSON: `{ method, target, headers: [[name, value], …], body?: base64 }`. */
export function describedCall(text: Uint8Array): Read<IncomingCall> {
  const told = closed(text, ['method', 'target', 'headers', 'body'])
  if (!told.ok) return told
  const { method, target, headers, body } = told.value
  if (typeof method !== 'string' || typeof target !== 'string') return bad('method and target are text')
  const fields = fieldsOf(headers)
  if (fields === undefined) return bad('headers is a list of [name, value] pairs, repeated fields repeated')
  if (body === undefined) return ok({ method, target, headers: fields })
  const bytes = typeof body === 'string' ? bytesOf(body) : undefined
  if (bytes === undefined) return bad('body is the raw body in standard base64')
  return ok({
    method,
    target,
    headers: fields,
    body: (limitBytes) => (bytes.length > limitBytes ? refuse('body-too-large') : ok(bytes)),
  })
}

/** An object with these members at most, read strictly. */
export function closed(text: Uint8Array, members: readonly string[]): Read<JsonObject> {
  const read = parseStrictJson(text)
  if (!read.ok || !isJsonObject(read.value)) return bad('not one strict JSON object')
  const known = Object.keys(read.value).every((name) => members.includes(name))
  return known ? ok(read.value) : bad(`it may have ${members.join(', ')} and nothing else`)
}

function fieldsOf(value: JsonValue | undefined): string[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_FIELDS) return undefined
  const flat: string[] = []
  for (const pair of value as readonly JsonValue[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined
    const [name, content] = pair as readonly JsonValue[]
    if (typeof name !== 'string' || typeof content !== 'string') return undefined
    flat.push(name, content)
  }
  return flat
}

/** Standard base64, canonical: encoding what came out gives the same text. */
function bytesOf(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text)
    return btoa(binary) === text ? Uint8Array.from(binary, (char) => char.charCodeAt(0)) : undefined
  } catch {
    return undefined
  }
}
