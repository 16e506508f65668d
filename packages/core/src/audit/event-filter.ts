import { HallpassError } from '../fault.ts'
import type { EventType, TrailLine } from './event.ts'

/** Which events are asked for; every member that is there must fit. */
export interface EventFilter {
  readonly txn?: string
  readonly jti?: string
  readonly id?: string
  readonly type?: EventType
}

function parse(text: string): TrailLine {
  try {
    return JSON.parse(text) as TrailLine
  } catch (cause) {
    throw new HallpassError('trail-invalid', 'The trail holds a line that is not JSON; see where with verifyTrail', {
      cause,
    })
  }
}

/** The lines that fit, parsed and not verified. Looks at the text first: most lines never become objects. */
export function selectLines(lines: Iterable<string>, filter: EventFilter = {}): TrailLine[] {
  const { txn, jti, id, type } = filter
  const wanted = Object.entries({ txn, jti, id, type }).flatMap(([name, value]) =>
    value === undefined ? [] : [`,"${name}":${JSON.stringify(value)}`],
  )
  const found: TrailLine[] = []
  for (const text of lines) {
    if (!wanted.every((member) => text.includes(member))) continue
    const line = parse(text)
    // The text may also stand inside `data`.
    const fits = (name: 'txn' | 'jti' | 'id' | 'type') => filter[name] === undefined || line[name] === filter[name]
    if (fits('txn') && fits('jti') && fits('id') && fits('type')) found.push(line)
  }
  return found
}
