import type { AuditEvent } from '@hallpass/core'

/** What a broker takes of one event. */
const MAX_TEXT_CHARS = 4096
const MAX_JSON_CHARS = 16_384
/** All of an event together, so that its line has room for its place in two chains. */
const MAX_EVENT_CHARS = 48_000
const LONE_SURROGATE = /\p{Surrogate}/gu

const isSendable = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= MAX_TEXT_CHARS && value.search(LONE_SURROGATE) < 0
    : typeof value !== 'object' || fits(JSON.stringify(value))

const fits = (text: string | undefined): boolean =>
  text !== undefined && text.length <= MAX_JSON_CHARS && !/\\ud[89a-f]/i.test(text)

/**
 * The event as a broker takes it: one that it does not would stop every event behind it. What is too long is cut, what
 * strict JSON does not carry is replaced. The event itself, nearly always.
 */
export function sendable(event: AuditEvent): AuditEvent {
  const members = Object.entries(event)
  if (members.every(([, value]) => isSendable(value)) && JSON.stringify(event).length <= MAX_EVENT_CHARS) return event
  const most = Math.floor(MAX_EVENT_CHARS / Math.max(members.length, 1) / 6)
  const cut = members.flatMap(([name, value]): [string, unknown][] => {
    if (typeof value === 'string') return [[name, value.slice(0, most).replaceAll(LONE_SURROGATE, '\uFFFD')]]
    return typeof value === 'object' ? [] : [[name, value]]
  })
  return Object.fromEntries(cut) as unknown as AuditEvent
}
