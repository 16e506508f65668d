import { open } from 'node:fs/promises'
import type { ChainHead } from './chain.ts'
import type { TrailLine } from './event.ts'
import { MAX_LINE_CHARS, readLine } from './line.ts'
import type { Segment } from './spool-segments.node.ts'

/** Lines read at a time, and where reading goes on. */
export interface SpoolPage {
  readonly lines: readonly TrailLine[]
  /** Lines that are not as they were written: they are passed over, and the gap they leave is seen by the receiver. */
  readonly damaged: number
  /** Bytes read, up to the end of the last whole line. */
  readonly bytes: number
}

const CHUNK_BYTES = 512 * 1024
const MAX_LINE_BYTES = MAX_LINE_CHARS * 3

/**
 * Reads whole lines of a segment from this byte on, as far as `until`, up to so many lines and characters. Lines up to
 * and including `after` are passed over.
 */
export async function readSegment(
  { path }: Segment,
  at: { readonly from: number; readonly until: number; readonly after: ChainHead },
  limit: { readonly lines: number; readonly chars: number },
): Promise<SpoolPage> {
  const length = Math.min(at.until - at.from, Math.max(CHUNK_BYTES, MAX_LINE_BYTES + 1))
  if (length <= 0) return { lines: [], damaged: 0, bytes: 0 }
  const file = await open(path, 'r')
  let bytes: Buffer
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at.from)
    bytes = buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
  const lines: TrailLine[] = []
  let damaged = 0
  let chars = 0
  let start = 0
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    const text = bytes.toString('utf8', start, end)
    const line = readLine(text)
    if (lines.length >= limit.lines || (lines.length > 0 && chars + text.length > limit.chars)) break
    start = end + 1
    if (line === undefined) damaged += 1
    else if (line.seq > at.after.seq) {
      lines.push(line)
      chars += text.length
    }
  }
  // What has no line break in so many bytes is no line: it is passed over as damage, or it would stop everything.
  if (start === 0 && bytes.length === length && length > MAX_LINE_BYTES) return { lines, damaged: 1, bytes: length }
  return { lines, damaged, bytes: start }
}
