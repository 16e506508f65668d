import type { JsonValue } from '../json/value.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { isEventType } from './describe-event.ts'
import type { AuditEvent } from './event.ts'
import { EVENT_MEMBERS } from './members.ts'
import { fitsOrigin, isOrigin } from './origin.ts'

const MAX_TEXT_CHARS = 4096
const MAX_JSON_CHARS = 16_384
const EVENT_ID = /^ev_[A-Za-z0-9_-]{8,64}$/

const invalid = (detail: string) => refuse('request-invalid', detail)

type Kind = (typeof EVENT_MEMBERS)[keyof AuditEvent]

const A_TEXT = [
  `a string of at most ${MAX_TEXT_CHARS} characters`,
  (value: JsonValue) => typeof value === 'string' && value.length <= MAX_TEXT_CHARS,
] as const

/** What each kind of member must be, and whether a value is. */
const MUST_BE: Readonly<Record<Kind, readonly [words: string, is: (value: JsonValue) => boolean]>> = {
  name: A_TEXT,
  text: A_TEXT,
  number: ['a number', (value) => typeof value === 'number' && Number.isFinite(value)],
  json: [`JSON of at most ${MAX_JSON_CHARS} characters`, (value) => JSON.stringify(value).length <= MAX_JSON_CHARS],
}

function problemOf(name: string, value: JsonValue): string | undefined {
  if (!Object.hasOwn(EVENT_MEMBERS, name)) return 'An event has a member that events do not have'
  const [words, is] = MUST_BE[EVENT_MEMBERS[name as keyof AuditEvent]]
  return is(value) ? undefined : `\`${name}\` must be ${words}`
}

/** Reads an event that came over a wire: closed world, every member typed and bounded. Does not check who sent it. */
export function parseEvent(value: JsonValue): Result<AuditEvent, 'request-invalid'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('An event is a JSON object')
  for (const [name, member] of Object.entries(value)) {
    const problem = problemOf(name, member)
    if (problem !== undefined) return invalid(problem)
  }
  const { id, type, time, source } = value as Readonly<Record<string, JsonValue>>
  if (typeof id !== 'string' || !EVENT_ID.test(id)) return invalid('`id` must be ev_ and 8 to 64 base64url characters')
  if (typeof type !== 'string' || !isEventType(type)) return invalid('`type` is not one of the events that exist')
  if (typeof time !== 'number' || time <= 0) return invalid('`time` must be NumericDate seconds')
  if (typeof source !== 'string' || source === '') return invalid('`source` must say who recorded the event')
  const { origin } = value as Readonly<Record<string, JsonValue>>
  if (origin !== undefined && !isOrigin(origin)) return invalid('`origin` must hold chain, seq, prev and hash')
  return ok(value as unknown as AuditEvent)
}

/**
 * Reads an event that the API with this audience sent to the broker. It may speak for nobody else: its source must be
 * `verifier:<audience>`, alone or with `#<instance>`, its `aud` that audience where there is one, and it may report only
 * uses and refused traffic. An `origin` must fit the event; whether it follows the one before is the merger's to see.
 */
export function parseVerifierEvent(
  value: JsonValue,
  audience: string,
): Result<AuditEvent, 'request-invalid' | 'caller-not-allowed'> {
  const event = parseEvent(value)
  if (!event.ok) return event
  const { source, aud, type } = event.value
  const name = `verifier:${audience}`
  if (source !== name && !source.startsWith(`${name}#`))
    return refuse('caller-not-allowed', 'An event names another source than its sender')
  if (aud !== undefined && aud !== audience)
    return refuse('caller-not-allowed', 'An event names another audience than its sender')
  if (!type.startsWith('use.') && type !== 'traffic.refused')
    return refuse('caller-not-allowed', 'An API reports only uses and refused traffic')
  if (event.value.origin !== undefined && !fitsOrigin(event.value))
    return invalid('An event is not the one its `origin` has the hash of')
  return event
}
