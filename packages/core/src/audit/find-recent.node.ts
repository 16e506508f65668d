import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { TrailLine } from './event.ts'

const CHUNK_BYTES = 1024 * 1024
const LINE_BREAK = 10
const IDS = /"id":"([^"\\]{1,128})"/g
const TIME = /"time":(\d+(?:\.\d+)?)/

/** The id of a line, where it is one of these. */
function idIn(text: string, wanted: ReadonlySet<string>): string | undefined {
  for (const [, id = ''] of text.matchAll(IDS)) {
    // The text may also stand inside `data`.
    if (wanted.has(id) && (JSON.parse(text) as TrailLine).id === id) return id
  }
  return undefined
}

/** What another process sent says when it happened there, and not when it was recorded here. */
const FROM_ELSEWHERE = ',"origin":{'
const isBefore = (text: string, time: number): boolean => Number(TIME.exec(text)?.[1] ?? Number.NaN) < time

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
export async function findRecent(path: string, ids: readonly string[], since: number): Promise<ReadonlySet<string>> {
  const wanted = new Set(ids)
  const found = new Set<string>()
  const file = await open(path, 'r')
  try {
    for await (const lines of blocksFromEnd(file)) {
      for (const id of lines.flatMap((text) => idIn(text, wanted) ?? [])) found.add(id)
      const oldest = lines.find((text) => text !== '' && !text.includes(FROM_ELSEWHERE))
      if (found.size === wanted.size || (oldest !== undefined && isBefore(oldest, since))) break
    }
  } finally {
    await file.close()
  }
  return found
}
