import { sha256Base64url } from '#crypto'
import { HallpassError } from '../fault.ts'
import type { AuditEvent, TrailLine } from './event.ts'
import { jsonText, numberText, quoted, quotedName } from './json-text.ts'
import { EVENT_MEMBERS } from './members.ts'
import type { EventStem } from './use-event.ts'
import { UseEvent } from './use-event.ts'

/** `prev` of the first line: 32 zero bytes, base64url. */
export const GENESIS = 'A'.repeat(43)

/** A longer line is refused, which also bounds what a reader must hold. In UTF-16 code units, without the line break. */
export const MAX_LINE_CHARS = 64 * 1024

const HASH_MEMBER = ',"hash":"'
/** `,"hash":"` + 43 characters of base64url + `"}`. */
const TAIL_CHARS = HASH_MEMBER.length + 43 + 2

interface Member {
  readonly kind: 'name' | 'text' | 'number' | 'json'
  /** What stands before the value, put together once. */
  readonly head: string
}

const members: ReadonlyMap<string, Member> = new Map(
  Object.entries(EVENT_MEMBERS).map(([name, kind]) => [name, { kind, head: `,"${name}":` }]),
)

const unwritable = (member: string, wanted: string): HallpassError =>
  new HallpassError('audit-unavailable', `The event's member \`${member}\` is not ${wanted}, so it cannot be recorded`)

function valueText(name: string, kind: Member['kind'], value: unknown): string {
  if (kind === 'text' || kind === 'name') {
    if (typeof value !== 'string') throw unwritable(name, 'a string')
    return kind === 'name' ? quotedName(value) : quoted(value)
  }
  if (kind === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw unwritable(name, 'a finite number')
    return numberText(value)
  }
  const text = jsonText(value)
  if (text === undefined) throw unwritable(name, 'JSON')
  return text
}

const membersText = (event: object): string => {
  let text = ''
  for (const name in event) text += memberText(name, event[name as keyof typeof event])
  return text
}

function memberText(name: string, value: unknown): string {
  const member = members.get(name)
  return member === undefined || value === undefined ? '' : member.head + valueText(name, member.kind, value)
}

/** The same for an event whose common facts may have been written before. */
function useText(event: AuditEvent, stem: EventStem): string {
  stem.text ??= membersText(stem.facts)
  let text = memberText('id', event.id) + memberText('type', event.type) + memberText('time', event.time) + stem.text
  if (event.jkt !== undefined) text += memberText('jkt', event.jkt)
  if (event.call_id !== undefined) text += memberText('call_id', event.call_id)
  if (event.trace !== undefined) text += memberText('trace', event.trace)
  if (event.parameters !== undefined) text += memberText('parameters', event.parameters)
  if (event.follows !== undefined) text += memberText('follows', event.follows)
  if (event.status !== undefined) text += memberText('status', event.status)
  if (event.reason !== undefined) text += memberText('reason', event.reason)
  return event.detail === undefined ? text : text + memberText('detail', event.detail)
}

/**
 * Writes one event as the line of the trail that follows `prev`: compact JSON with the members `seq`, `prev`, the
 * event's own in its order, `hash`.
 *
 * `hash` = base64url(SHA-256(UTF-8 bytes of the line from its `{` up to, not including, `,"hash":`)). Because `seq`
 * and `prev` are among those bytes, a line vouches for its place and for every line before it.
 *
 * @throws HallpassError `audit-unavailable` when a member has the wrong type or the line is longer than MAX_LINE_CHARS.
 */
export function formatLine(
  event: AuditEvent,
  seq: number,
  prev: string,
): { readonly text: string; readonly hash: string } {
  const stem = UseEvent.stemOf(event)
  const own = stem === undefined ? membersText(event) : useText(event, stem)
  const head = `{"seq":${seq},"prev":"${prev}"${own}`
  if (head.length + TAIL_CHARS > MAX_LINE_CHARS) {
    throw new HallpassError(
      'audit-unavailable',
      `An event may take ${MAX_LINE_CHARS} characters and this one takes more`,
    )
  }
  const hash = sha256Base64url(head)
  return { text: `${head}${HASH_MEMBER}${hash}"}`, hash }
}

/**
 * Reads one line without trusting it: undefined unless it is written exactly as `formatLine` writes and its hash fits
 * its bytes. Says nothing about its place in a chain.
 */
export function readLine(text: string): TrailLine | undefined {
  const cut = text.length - TAIL_CHARS
  if (cut <= 0 || text.length > MAX_LINE_CHARS || !text.startsWith(HASH_MEMBER, cut)) return undefined
  try {
    const line = JSON.parse(text) as Partial<TrailLine>
    // One text per line: no second `seq`, no white space, nothing another reader could see differently.
    if (JSON.stringify(line) !== text || !Number.isSafeInteger(line.seq) || typeof line.prev !== 'string')
      return undefined
    return line.hash === sha256Base64url(text.slice(0, cut)) ? (line as TrailLine) : undefined
  } catch {
    return undefined
  }
}
