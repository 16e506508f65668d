import { createHash } from 'node:crypto'
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { HallpassError } from '../fault.ts'
import type { ChainHead } from './chain.ts'
import type { AuditEvent, TrailLine } from './event.ts'
import { GENESIS, formatLine, readLine } from './line.ts'

/** How much of the end of a file is checked when it is opened; all of it when it is smaller. */
const WINDOW_BYTES = 4 * 1024 * 1024

export interface Tail {
  readonly head: ChainHead
  /** Bytes of the file after recovery. */
  readonly size: number
  /** The checked lines at the end, oldest first. */
  readonly lines: readonly TrailLine[]
}

function readEnd(fd: number, size: number): { readonly bytes: Buffer; readonly from: number } {
  const from = Math.max(0, size - WINDOW_BYTES)
  const bytes = Buffer.alloc(size - from)
  let read = 0
  while (read < bytes.length) {
    const got = readSync(fd, bytes, read, bytes.length - read, from + read)
    if (got === 0) break
    read += got
  }
  return { bytes: bytes.subarray(0, read), from }
}

function writeAll(fd: number, bytes: Buffer, at: number): void {
  let written = 0
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, at + written)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parse(bytes: Buffer): TrailLine | undefined {
  try {
    return readLine(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

const unchained = (path: string, what: string): HallpassError =>
  new HallpassError(
    'trail-invalid',
    `The end of the trail ${path} does not hold together: ${what}. Nothing is appended to a trail that was altered. ` +
      `See where with \`hallpass audit verify ${path}\`, keep the file as evidence and start a new one`,
  )

/** Lines of the window, each checked and each following the one before. */
function checkLines(
  path: string,
  complete: Buffer,
  window: { isWhole: boolean; begin: ChainHead | undefined },
): TrailLine[] {
  const { isWhole, begin } = window
  const lines: TrailLine[] = []
  // A window that starts inside the file starts inside a line.
  let start = isWhole ? 0 : complete.indexOf(10) + 1
  let before = isWhole ? begin : undefined
  while (start < complete.length) {
    const end = complete.indexOf(10, start)
    const line = parse(complete.subarray(start, end))
    if (line === undefined) throw unchained(path, `the line at byte ${start} of its end is not as it was written`)
    if (before && (line.seq !== before.seq + 1 || line.prev !== before.hash)) {
      throw unchained(path, `line ${line.seq} does not follow the one above it`)
    }
    before = { seq: line.seq, hash: line.hash }
    lines.push(line)
    start = end + 1
  }
  return lines
}

export interface OpenTailOptions {
  /** Makes the event that tells of a line torn by a crash. Without it such a line is only cut off. */
  readonly recovered?: (cutBytes: number, digest: string) => AuditEvent
  /** The head that the file goes on from, where it is not the first of its chain; `unknown` where nobody kept it. */
  readonly begin?: ChainHead | 'unknown'
}

const FIRST: ChainHead = { seq: 0, hash: GENESIS }

/**
 * Checks the end of an existing trail and makes it ready to go on. A last line without its line break was torn by a
 * crash: the event from `recovered` is written over it before the rest is cut, so that a crash in between leaves a
 * trace too.
 *
 * @throws HallpassError `trail-invalid` when the end does not chain.
 */
export function openTail(path: string, { recovered, begin = FIRST }: OpenTailOptions): Tail {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile())
      throw new HallpassError('configuration-invalid', `A trail must be a regular file, and ${path} is not`)
    const { bytes, from } = readEnd(fd, stat.size)
    const complete = bytes.subarray(0, bytes.lastIndexOf(10) + 1)
    const before = begin === 'unknown' ? undefined : begin
    const lines = checkLines(path, complete, { isWhole: from === 0, begin: before })
    const newest = lines.at(-1)
    if (newest === undefined && from > 0) throw unchained(path, 'its end holds no line')
    const head: ChainHead = newest ? { seq: newest.seq, hash: newest.hash } : (before ?? FIRST)
    const torn = bytes.subarray(complete.length)
    if (torn.length === 0) return { head, size: stat.size, lines }

    const goodEnd = from + complete.length
    if (recovered === undefined) {
      ftruncateSync(fd, goodEnd)
      fdatasyncSync(fd)
      return { head, size: goodEnd, lines }
    }
    const digest = createHash('sha256').update(torn).digest('base64url')
    const line = formatLine(recovered(torn.length, digest), head.seq + 1, head.hash)
    const written = Buffer.from(`${line.text}\n`)
    writeAll(fd, written, goodEnd)
    ftruncateSync(fd, goodEnd + written.length)
    fdatasyncSync(fd)
    const parsed = readLine(line.text)
    return {
      head: { seq: head.seq + 1, hash: line.hash },
      size: goodEnd + written.length,
      lines: parsed ? [...lines, parsed] : lines,
    }
  } finally {
    closeSync(fd)
  }
}
