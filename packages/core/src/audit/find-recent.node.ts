import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { EventName, TrailLine } from './event.ts'

const CHUNK_BYTES = 1024 * 1024
const LINE_BREAK = 10
const IDS = /"id":"([^"\\]{1,128})"/g

const nameOf = ({ id, source }: EventName): string => `${id} ${source}`

/** The event of a line, where it is one of these. */
function eventIn(text: string, { names, ids }: Wanted): string | undefined {
  for (const [, id = ''] of text.matchAll(IDS)) {
    if (!ids.has(id)) continue
    // The text may also stand inside `data`.
    const name = nameOf(JSON.parse(text) as TrailLine)
    if (names.has(name)) return name
  }
  return undefined
}

interface Wanted {
  readonly names: ReadonlySet<string>
  readonly ids: ReadonlySet<string>
}

/**
 * Whether all of these lines were recorded before then, by what a broker stamped. What verifiers tell, or a broker finds in
 * its ledger, has the time at which it happened, and not the one at which it was recorded here.
 */
function areBefore(lines: readonly string[], time: number): boolean {
  let isStamped = false
  for (const text of lines.toReversed()) {
    if (!text.includes(',"source":"broker:')) continue
    // The text may also stand inside `data`.
    const line = JSON.parse(text) as TrailLine
    if (!line.source.startsWith('broker:')) continue
    if (line.time >= time) return false
    isStamped = true
  }
  return isStamped
}

/** The lines of a file in blocks, the newest block first, each block in order. */
async function* blocksFromEnd(file: FileHandle): AsyncGenerator<readonly string[], void, undefined> {
  let { size: end } = await file.stat()
  let rest = Buffer.alloc(0)
  while (end > 0) {
    const from = Math.max(0, end - CHUNK_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from)
    const bytes = Buffer.concat([buffer.subarray(0, bytesRead), rest])
    // The first line of it may begin before it.
    const start = from === 0 ? 0 : bytes.indexOf(LINE_BREAK) + 1
    const isWithin = from > 0 && start === 0
    rest = isWithin ? bytes : bytes.subarray(0, start)
    end = from
    if (!isWithin) yield bytes.toString('utf8', start).split('\n')
  }
}

/**
 * Which of these events a trail's file has, among those that were recorded since then (NumericDate): read from its end, so
 * that it costs what was recorded since. Only what is on disk is seen.
 */
export async function findRecent(
  path: string,
  events: readonly EventName[],
  since: number,
): Promise<readonly EventName[]> {
  const wanted = { names: new Set(events.map(nameOf)), ids: new Set(events.map(({ id }) => id)) }
  const found = new Set<string>()
  const file = await open(path, 'r')
  try {
    for await (const lines of blocksFromEnd(file)) {
      for (const name of lines.flatMap((text) => eventIn(text, wanted) ?? [])) found.add(name)
      if (found.size === wanted.names.size || areBefore(lines, since)) break
    }
  } finally {
    await file.close()
  }
  return events.filter((event) => found.has(nameOf(event)))
}
